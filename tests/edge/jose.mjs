// SPDX-License-Identifier: Apache-2.0
// usage: jose.mjs API   (see jose.sh)
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import * as jose from "jose";

const { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } = jose;

const api = process.argv[2];
const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", api));
const rules = { issuer: "viaduct", audience: "viaduct-api", typ: "at+jwt", algorithms: ["EdDSA", "Ed25519"] };

async function signIn(email, password) {
    const answer = await fetch(new URL("/v1/auth/login", api), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email, password }),
    });
    assert.equal(answer.status, 200);
    return answer.json();
}

// The same token with one letter of a part changed (the last letters may carry no bits).
function changed(token, part) {
    const parts = token.split(".");
    const letter = parts[part][10] === "A" ? "B" : "A";
    parts[part] = parts[part].slice(0, 10) + letter + parts[part].slice(11);
    return parts.join(".");
}

const tokens = await signIn("alice@example.com", "alice-password");
const { payload, protectedHeader } = await jwtVerify(tokens.access_token, keys, rules);
assert.ok(protectedHeader.kid);
assert.equal(payload.sid, tokens.session_id);
assert.ok(payload.sub && payload.jti && payload.exp > payload.nbf);
assert.ok(payload.roles.includes("user"));

for (const part of [1, 2]) await assert.rejects(jwtVerify(changed(tokens.access_token, part), keys, rules));
await assert.rejects(jwtVerify(tokens.access_token, keys, { ...rules, audience: "another" }));

const unsigned = [{ ...decodeProtectedHeader(tokens.access_token), alg: "none" }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
await assert.rejects(jwtVerify(`${unsigned}.`, keys, rules));
console.log(`verified with ${protectedHeader.alg} key ${protectedHeader.kid}`);

// Tokens bound to a key (DPoP, RFC 9449): good with proofs that jose signs, and with nothing else.
async function makeProof({ alg, privateKey, jwk }, htm, path, token) {
    const ath = token && createHash("sha256").update(token).digest("base64url");
    return new jose.SignJWT({ htm, htu: new URL(path, api).href, jti: randomUUID(), ...(ath && { ath }) })
        .setProtectedHeader({ typ: "dpop+jwt", alg, jwk })
        .setIssuedAt()
        .sign(privateKey);
}

async function makeKey(alg) {
    const { publicKey, privateKey } = await jose.generateKeyPair(alg);
    return { alg, privateKey, jwk: await jose.exportJWK(publicKey) };
}

const me = (headers) => fetch(new URL("/v1/users/me", api), { headers });

for (const alg of ["ES256", "EdDSA"]) {
    const key = await makeKey(alg);
    const answer = await fetch(new URL("/v1/auth/login", api), {
        method: "POST",
        headers: { "content-type": "application/json", dpop: await makeProof(key, "POST", "/v1/auth/login") },
        body: JSON.stringify({ email: "alice@example.com", password: "alice-password" }),
    });
    const bound = await answer.json();
    assert.equal(bound.token_type, "DPoP");
    const token = bound.access_token;
    const claims = (await jwtVerify(token, keys, rules)).payload;
    assert.equal(claims.cnf.jkt, await jose.calculateJwkThumbprint(key.jwk));

    const dpop = await makeProof(key, "GET", "/v1/users/me", token);
    assert.equal((await me({ authorization: `DPoP ${token}`, dpop })).status, 200);
    assert.equal((await me({ authorization: `DPoP ${token}`, dpop })).status, 401); // it came before
    assert.equal((await me({ authorization: `Bearer ${token}` })).status, 401);
    const stolen = await makeProof(await makeKey(alg), "GET", "/v1/users/me", token);
    const refusal = await me({ authorization: `DPoP ${token}`, dpop: stolen });
    assert.equal(refusal.status, 401);
    assert.match(refusal.headers.get("www-authenticate"), /^DPoP error="invalid_dpop_proof"/);
    console.log(`bound to a key of jose, ${alg}`);
}
