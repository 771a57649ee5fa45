// SPDX-License-Identifier: Apache-2.0
// usage: client.ts API   (see client.sh)
import createClient from "openapi-fetch";
import type { components, paths } from "./api.ts";

declare const process: { argv: string[] };

const api = createClient<paths>({ baseUrl: process.argv[2] });

// What an answer holds; a problem ends the tour.
function good<T>(answer: { data?: T; error?: unknown; response: Response }): T {
    if (answer.data === undefined)
        throw new Error(`${answer.response.url}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
    return answer.data;
}

function must(truth: boolean, what: string): void {
    if (!truth) throw new Error(what);
}

async function signIn(email: string, password: string): Promise<{ authorization: string }> {
    const tokens = good(await api.POST("/v1/auth/login", { body: { email, password } }));
    return { authorization: `Bearer ${tokens.access_token}` };
}

const email = `client-${Date.now()}@example.com`;
const password = "a long password";
const user = good(await api.POST("/v1/users", { body: { email, name: "A Client", password } }));
const me = await signIn(email, password);
must(good(await api.GET("/v1/users/me", { headers: me })).id === user.id, "me is another");

// A problem has its type too.
const twice = await api.POST("/v1/users", { body: { email, name: "A Client", password } });
const problem: components["schemas"]["problem"] | undefined = twice.error;
must(problem?.status === 409, "an address registers twice");

const products = good(await api.GET("/v1/products", { params: { query: { limit: 1, sort: "price" } } }));
const body = { items: [{ product_id: products.items[0].id, quantity: 2 }] };
const keyed = { headers: me, params: { header: { "Idempotency-Key": `tour-${email}` } }, body };
const order = good(await api.POST("/v1/orders", keyed));
must(good(await api.POST("/v1/orders", keyed)).id === order.id, "a key is done twice");
const path = { id: order.id };
must(good(await api.GET("/v1/orders/{id}", { headers: me, params: { path } })).status === "pending", "not pending");
const list = good(await api.GET("/v1/orders", { headers: me, params: { query: { "filter[status]": "pending" } } }));
must(list.items.some((item) => item.id === order.id), "the list lacks the order");

const admin = await signIn("admin@example.com", "admin-password");
const day = 86_400_000;
const period = { from: new Date(Date.now() - day).toISOString(), to: new Date(Date.now() + day).toISOString() };
const job = good(await api.POST("/v1/reports", { headers: admin, body: period }));
const jobAt = { headers: admin, params: { path: { id: job.id } } };
const until = Date.now() + 60_000;
while (good(await api.GET("/v1/jobs/{id}", jobAt)).state !== "succeeded") {
    must(Date.now() < until, "the report takes longer than a minute");
    await new Promise((done) => setTimeout(done, 200));
}
const report: string = good(await api.GET("/v1/jobs/{id}/result", { ...jobAt, parseAs: "text" }));
must(report.includes(order.id), "the report lacks the order");

const left = await api.POST("/v1/auth/logout", { headers: me });
must(left.response.status === 204, "not signed out");
const soon = Date.now() + 30_000; // every loop is told, by Redis
while ((await api.GET("/v1/users/me", { headers: me })).response.status !== 401) {
    must(Date.now() < soon, "still signed in");
    await new Promise((done) => setTimeout(done, 50));
}
console.log("the tour is complete");
