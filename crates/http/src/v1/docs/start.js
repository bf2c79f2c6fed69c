"use strict";

// A proxy may put a prefix before all paths, so the page's base says where the server's root is.
const root = new URL(document.baseURI).pathname.replace(/\/$/, "");

const underPrefix = {
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (original) => (document) => original({ ...document, servers: [{ url: root || "/" }] }),
      },
    },
  },
};

SwaggerUIBundle({
  url: "api/v1/openapi.json",
  dom_id: "#docs",
  plugins: [underPrefix],
  deepLinking: false,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    // A server with `livy.server.csrf-protection.enabled` asks for this header.
    request.headers["X-Requested-By"] = "livius-docs";
    return request;
  },
});
