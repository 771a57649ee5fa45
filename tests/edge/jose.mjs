// SPDX-License-Identifier: Apache-2.0
// usage: jose.mjs API   (see jose.sh)
import assert from "node:assert/strict";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";

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
