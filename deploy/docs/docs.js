// SPDX-License-Identifier: Apache-2.0
// Shows /openapi.json with Swagger UI. Whoever signs in here is signed in on the whole page.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

function keepToken(response) {
    const path = new URL(response.url, location.href).pathname;
    if (response.ok && /\/v1\/auth\/(login|refresh)$/.test(path))
        ui.preauthorizeApiKey("bearer", JSON.parse(response.text).access_token);
    return response;
}

const ui = SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    syntaxHighlight: { theme: "agate" },
    tryItOutEnabled: true,
    validatorUrl: null, // asks nobody else
    responseInterceptor: keepToken,
});
