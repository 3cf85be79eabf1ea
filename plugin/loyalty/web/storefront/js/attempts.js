// Idempotency keys of calls whose answer has not come yet.
//
// A call that moves value gets its key before it is sent, and the key stays in this tab until
// the call is answered: whatever is repeated meanwhile, also after a reload, is the same call.

import { randomName } from "./cart.js";

const PREFIX = "journey.key.";

export function keyFor(call) {
  const kept = sessionStorage.getItem(PREFIX + call);
  if (kept) return kept;
  const key = randomName("web-");
  sessionStorage.setItem(PREFIX + call, key);
  return key;
}

export function answered(call) {
  sessionStorage.removeItem(PREFIX + call);
}

/** Send `call(key)`; its key is forgotten when an answer came, whatever the answer was. */
export async function once(name, call) {
  try {
    const payload = await call(keyFor(name));
    // A refusal that asks for a repetition was not kept by the server: the key stays good.
    if (!payload.userErrors.some((error) => error.code === "UNAVAILABLE")) answered(name);
    return payload;
  } catch (error) {
    if (!error.canRetry) answered(name);
    throw error;
  }
}
