// SPDX-License-Identifier: Apache-2.0
// usage: browser.mjs CHROMIUM API   (see browser.sh)
import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";

const [chromium, api] = process.argv.slice(2);
const problems = []; // what a reader of the console would see, and every request to elsewhere
const looks = {
    light: { width: 1280, height: 900, scheme: "light" },
    dark: { width: 1280, height: 900, scheme: "dark" },
    mobile: { width: 390, height: 844, scheme: "light" },
    "mobile-dark": { width: 390, height: 844, scheme: "dark" },
};

async function open(browser, look) {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000); // a busy machine is no fault of the page
    page.on("console", (line) => ["error", "warn"].includes(line.type()) && problems.push(`console: ${line.text()}`));
    page.on("pageerror", (error) => problems.push(`script: ${error}`));
    page.on("requestfailed", (request) => problems.push(`failed: ${request.url()}`));
    page.on("response", (answer) => answer.status() >= 400 && problems.push(`${answer.status()}: ${answer.url()}`));
    page.on("request", (request) => {
        const to = new URL(request.url());
        if (to.protocol !== "data:" && to.origin !== new URL(api).origin) problems.push(`elsewhere: ${to}`);
    });
    await page.evaluateOnNewDocument(() => {
        window.violations = [];
        document.addEventListener("securitypolicyviolation", (event) =>
            window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
        );
    });
    await page.setViewport({ width: look.width, height: look.height });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: look.scheme }]);
    await page.goto(`${api}/docs`);
    await page.waitForSelector(".opblock");
    return page;
}

async function expectQuiet(page, where) {
    const violations = await page.evaluate(() => window.violations);
    assert.deepEqual([...violations, ...problems], [], where);
}

// Every operation of the document has its row.
async function expectRoutes(page) {
    const document = await (await fetch(`${api}/openapi.json`)).json();
    const methods = ["get", "post", "put", "patch", "delete"];
    const wanted = Object.entries(document.paths).flatMap(([path, item]) =>
        methods.filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const shown = await page.$$eval(".opblock", (rows) =>
        rows.map((row) => {
            const path = row.querySelector(".opblock-summary-path").dataset.path;
            return `${row.querySelector(".opblock-summary-method").textContent} ${path}`;
        }),
    );
    assert.ok(wanted.length > 25);
    assert.deepEqual(shown.sort(), wanted.sort());
}

// Nothing of the page is cut off or has to be looked for to the right.
async function expectFits(page, name) {
    const wide = await page.evaluate(() =>
        document.documentElement.scrollWidth <= window.innerWidth
            ? []
            : [...document.querySelectorAll("#docs *")]
                  .filter((part) => part.getBoundingClientRect().right > window.innerWidth)
                  .map((part) => `${part.tagName} ${part.className}`),
    );
    assert.deepEqual(wide, [], `${name}: wider than the window`);
}

// Opens an operation, fills its body, and gives what came back.
async function tryIt(page, id, body) {
    const row = `#operations-${id}`;
    await page.click(`${row} .opblock-summary-control`);
    await page.waitForSelector(`${row} .execute`);
    if (body) {
        await page.waitForSelector(`${row} textarea.body-param__text`); // comes after the button at times
        await page.$eval(`${row} textarea.body-param__text`, (area) => area.select());
        await page.locator(`${row} textarea.body-param__text`).fill(JSON.stringify(body));
    }
    await page.click(`${row} .execute`);
    await page.waitForSelector(`${row} .live-responses-table .response .response-col_status`);
    const status = await page.$eval(`${row} .live-responses-table .response .response-col_status`, (cell) => cell.textContent);
    const text = await page.$eval(`${row} .live-responses-table .highlight-code`, (cell) => cell.textContent);
    return { status: parseInt(status, 10), text };
}

async function expectTries(page) {
    const signIn = { email: "alice@example.com", password: "alice-password" };
    const tokens = await tryIt(page, "auth-post_v1_auth_login", signIn);
    assert.equal(tokens.status, 200, tokens.text);
    const me = await tryIt(page, "users-get_v1_users_me");
    assert.equal(me.status, 200, me.text);
    assert.match(me.text, /alice@example.com/);
}

// The policy has teeth, and this test sees them.
async function expectPolicy(page) {
    const ran = await page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.head.append(script);
        return window.ran === true;
    });
    assert.equal(ran, false, "a script in the page ran");
    await page.waitForFunction(() => window.violations.length > 0);
}

const browser = await puppeteer.launch({
    executablePath: chromium,
    headless: "shell",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
try {
    for (const [name, look] of Object.entries(looks)) {
        const page = await open(browser, look);
        await page.screenshot({ path: `${name}.png` });
        await expectRoutes(page);
        await expectTries(page);
        await page.$eval("#operations-auth-post_v1_auth_login", (row) => row.scrollIntoView());
        await page.screenshot({ path: `${name}-tried.png` });
        await page.screenshot({ path: `${name}-whole.png`, fullPage: true });
        await expectFits(page, name);
        await expectQuiet(page, name);
        await expectPolicy(page);
        problems.length = 0;
        await page.close();
    }
} finally {
    await browser.close();
}
console.log(`every route is shown and tried in ${Object.keys(looks).join(", ")}`);
