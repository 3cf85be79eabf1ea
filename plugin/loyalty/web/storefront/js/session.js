// Who shops here. The demo server mints a shopper's token; a real shop would do that at sign-in.
// A guest has none: its requests name the program alone.

import { CallFailed, graphql, json } from "./api.js";
import { get, isGuest, set } from "./store.js";

const DEMO = new URL("../demo/", document.baseURI);
const RENEW_BEFORE_MS = 60_000;
const MEMBER_KEY = "journey.member";

/** Stands for nobody where a member is chosen. */
export const GUEST = "";

let renewal = 0;
let renewing = null;

async function open(member, method) {
  const url = new URL("session", DEMO);
  if (member) url.searchParams.set("member", member);
  const session = await json(url, { method });
  sessionStorage.setItem(MEMBER_KEY, session.member.externalId);
  set({ session });
  plan(session);
  return session;
}

/** Sign out: of the shop's session all stays but the member. */
function leave(session) {
  clearTimeout(renewal);
  sessionStorage.setItem(MEMBER_KEY, GUEST);
  set({ session: { ...session, member: null } });
}

function plan(session) {
  clearTimeout(renewal);
  const left = new Date(session.member.expiresAt).getTime() - Date.now();
  // A browser's timers stop at 2^31 ms, and a failed renewal is tried again by the next call.
  const wait = Math.min(Math.max(left - RENEW_BEFORE_MS, 5_000), 2 ** 30);
  renewal = setTimeout(() => renew().catch(() => {}), wait);
}

/** Start with the member of this browser tab, or whom the demo proposes. */
export async function start() {
  const before = sessionStorage.getItem(MEMBER_KEY);
  if (before === GUEST) return leave(await open(null, "GET"));
  if (!before) return open(null, "GET");
  try {
    return await open(before, "POST");
  } catch (error) {
    // The demo may have been made anew since.
    if (error instanceof CallFailed && error.kind === "REFUSED") return open(null, "GET");
    throw error;
  }
}

export async function switchTo(member) {
  return member === GUEST ? leave(get("session")) : open(member, "POST");
}

/** A new token for the same member; callers at the same time share one. */
export async function renew() {
  renewing ??= open(get("session").member.externalId, "POST").finally(() => {
    renewing = null;
  });
  return renewing;
}

/** One of the shopper's own operations: reads and quotes. Renews the token when it ran out. */
export async function ask({ text, name }, variables = {}, signal = undefined) {
  const call = () => {
    const { endpoint, member, program } = get("session");
    const url = new URL(endpoint, document.baseURI);
    return graphql(url, { query: text, operationName: name, variables, token: member?.token, program, signal });
  };
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof CallFailed) || error.kind !== "SIGNED_OUT" || isGuest()) throw error;
    await renew();
    return call();
  }
}

/** One of the five operations of the shop's checkout service. It holds the key; we never see it. */
export async function askShop(operationName, input) {
  const url = new URL(`${get("session").checkoutProxy}/graphql`, document.baseURI);
  const data = await graphql(url, { operationName, variables: { input } });
  return Object.values(data)[0];
}

export function qrAddress(member) {
  return new URL(`qr/${encodeURIComponent(member)}.svg`, DEMO).href;
}
