"use strict";

const config = JSON.parse(document.getElementById("config").textContent);

/**
 * Tabs live as long as the browser tab, and only while the server hands in the same ones:
 * ready tabs carry tokens that run out, and fresh ones must not hide behind old ones.
 */
function tabStorage(version) {
  const prefix = `loyalty-graphiql:${config.endpoint}:`;
  const own = `${prefix}${version}:`;
  const store = window.sessionStorage;
  for (const key of Object.keys(store)) {
    if (key.startsWith(prefix) && !key.startsWith(own)) store.removeItem(key);
  }
  return {
    getItem: (key) => store.getItem(own + key),
    setItem: (key, value) => store.setItem(own + key, value),
    removeItem: (key) => store.removeItem(own + key),
    clear: () => {
      for (const key of Object.keys(store)) if (key.startsWith(own)) store.removeItem(key);
    },
    get length() {
      return Object.keys(store).filter((key) => key.startsWith(own)).length;
    },
  };
}

const endpoint = new URL(config.endpoint, window.location.href);
const socket = new URL(config.endpoint, window.location.href);
socket.protocol = endpoint.protocol === "https:" ? "wss:" : "ws:";

const fetcher = GraphiQL.createFetcher({
  url: endpoint.href,
  subscriptionUrl: socket.href,
  fetch: (url, options) =>
    window.fetch(url, {
      ...options,
      headers: { ...options.headers, accept: "application/graphql-response+json, application/json;q=0.9" },
    }),
});

const tabs = config.tabs.map((tab) => ({
  query: `# ${tab.title}\n\n${tab.query}`,
  variables: tab.variables,
  headers: tab.headers,
}));

const props = {
  fetcher,
  storage: tabStorage(config.version),
  shouldPersistHeaders: true,
  isHeadersEditorEnabled: true,
  defaultEditorToolsVisibility: tabs.some((tab) => tab.headers) ? "headers" : true,
  plugins: [GraphiQLPluginExplorer.explorerPlugin()],
};
if (tabs.length > 0) props.defaultTabs = tabs;
// The schema is asked for with the first tab's credentials.
if (tabs.length > 0 && tabs[0].headers) props.defaultHeaders = tabs[0].headers;

ReactDOM.createRoot(document.getElementById("graphiql")).render(React.createElement(GraphiQL, props));
