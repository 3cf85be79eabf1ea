// What the page knows, in one object. Views watch keys; whoever learns something sets them.

const state = {
  connection: "starting", // starting | live | polling | offline
  session: null,
  program: null,
  member: null,
  looks: 0, // counts up whenever the engine was told of a product that was opened
  memberFailed: null,
  cart: null, // {id, lines: [{product, quantity}]}
  choices: null, // {points: {mode, exact}, objective, pinned, excluded, codes, credit}
  locale: null, // the language of reasons; null leaves it to the member and the browser
  quote: { status: "empty", value: null, refusals: [], failed: null },
  route: { page: "club", product: null },
  attempt: null, // a payment under way, see checkout.js
  ordersAt: 0, // counts up whenever orders or history may have changed
};

const watchers = [];

export function get(key) {
  return state[key];
}

/** Whether nobody is signed in. */
export function isGuest() {
  return get("session")?.member === null;
}

/** Who looks at the page, as a key of what is fetched for it; null while that is not known. */
export function viewer() {
  return isGuest() ? "guest" : (get("member")?.externalId ?? null);
}

/** Change several keys at once; each watcher of any of them runs once. */
export function set(changes) {
  const changed = Object.keys(changes).filter((key) => state[key] !== changes[key]);
  Object.assign(state, changes);
  for (const watcher of watchers) {
    if (watcher.keys.some((key) => changed.includes(key))) watcher.run();
  }
}

/** Run now and whenever one of `keys` changes. */
export function watch(keys, run) {
  watchers.push({ keys, run });
  run();
}
