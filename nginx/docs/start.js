// One page for all services: the list comes from `make swag-config`, the documents from `make swag-gen`.
fetch("specs/config.json")
  .then((answer) => answer.json())
  .then((config) => {
    SwaggerUIBundle({
      dom_id: "#ui",
      urls: config.urls,
      presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
      layout: "StandaloneLayout",
      displayRequestDuration: true,
    });
  });
