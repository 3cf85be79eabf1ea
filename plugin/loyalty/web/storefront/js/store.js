// What the page knows, in one object. Views watch keys; whoever learns something sets them.

const state = {
  connection: "starting", // starting | live | polling | offline
  session: null,
  program: null,
  member: null,
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
