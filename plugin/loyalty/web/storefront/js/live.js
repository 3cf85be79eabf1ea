// Changes of the member as they happen: a small client of the graphql-transport-ws protocol,
// and asking now and then where it cannot connect.

import { CallFailed } from "./api.js";
import { MEMBER_CARD, MEMBER_CHANGED } from "./documents.js";
import { ask, renew } from "./session.js";
import { get, isGuest, set, watch } from "./store.js";

const POLL_MS = 20_000;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 30_000];
const ACKNOWLEDGE_MS = 8_000;
const FORBIDDEN = 4403;

let socket = null;
let attempts = 0;
let retry = 0;
let poll = 0;

/** Keep the newest: an answer that was overtaken by a later one is dropped. */
export function learn(member) {
  if (member.externalId !== get("session").member?.externalId) return;
  const known = get("member");
  if (known && member.version < known.version) return;
  if (known?.version !== member.version) set({ ordersAt: get("ordersAt") + 1 });
  set({ member, memberFailed: get("program") ? null : get("memberFailed") });
}

export async function refetch() {
  if (isGuest()) return;
  try {
    const { member } = await ask(MEMBER_CARD);
    if (member) learn(member);
    if (get("connection") === "offline") set({ connection: "polling" });
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    if (error.kind === "OFFLINE") set({ connection: "offline" });
  }
}

function pollWhile(waiting) {
  clearInterval(poll);
  if (waiting) {
    poll = setInterval(() => {
      if (!document.hidden) refetch();
    }, POLL_MS);
  }
}

function connect() {
  clearTimeout(retry);
  if (socket) {
    socket.onclose = null;
    socket.close(1000);
    socket = null;
  }
  if (isGuest()) {
    // Nothing that a guest sees changes by itself.
    pollWhile(false);
    set({ connection: "guest" });
    return;
  }
  const session = get("session");
  const url = new URL(session.webSocket, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  const mine = new WebSocket(url, "graphql-transport-ws");
  socket = mine;
  const say = (message) => mine.send(JSON.stringify(message));
  const patience = setTimeout(() => mine.close(4408), ACKNOWLEDGE_MS);

  mine.onopen = () => say({ type: "connection_init", payload: { Authorization: `Bearer ${session.member.token}` } });
  mine.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "connection_ack") {
      clearTimeout(patience);
      attempts = 0;
      pollWhile(false);
      set({ connection: "live" });
      say({ id: "1", type: "subscribe", payload: { query: MEMBER_CHANGED.text, operationName: MEMBER_CHANGED.name } });
      // What changed between the last answer and now was told to nobody.
      refetch();
    } else if (message.type === "ping") say({ type: "pong" });
    else if (message.type === "next" && message.payload.data) learn(message.payload.data.memberChanged.member);
    else if (message.type === "error" || message.type === "complete") mine.close(1000);
  };
  mine.onclose = ({ code }) => {
    clearTimeout(patience);
    if (socket !== mine) return;
    socket = null;
    if (get("connection") !== "offline") set({ connection: "polling" });
    pollWhile(true);
    const wait = RETRY_MS[Math.min(attempts, RETRY_MS.length - 1)];
    attempts += 1;
    // A new token makes a new session, and that connects by itself.
    const next = code === FORBIDDEN ? () => renew().catch(connect) : connect;
    retry = setTimeout(next, wait * (0.75 + Math.random() / 2));
  };
}

/** Connect, and again with each new token; a member just switched to is followed instead. */
export function follow() {
  watch(["session"], () => {
    if (get("session")) connect();
  });
  addEventListener("offline", () => set({ connection: "offline" }));
  addEventListener("online", () => {
    attempts = 0;
    set({ connection: "polling" });
    connect();
    refetch();
  });
}
