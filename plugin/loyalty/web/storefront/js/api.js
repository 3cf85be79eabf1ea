// GraphQL over HTTP, and what can go wrong with it in words a shopper understands.

const TIMEOUT_MS = 15_000;

/**
 * A call that brought no usable answer.
 *
 * kind: OFFLINE (never heard back: for a call that moves value the outcome is unknown),
 * BUSY (the server says try again), SIGNED_OUT (the token is no longer good), REFUSED.
 */
export class CallFailed extends Error {
  constructor(kind, message, code = null) {
    super(message);
    this.kind = kind;
    this.code = code;
  }

  get canRetry() {
    return this.kind === "OFFLINE" || this.kind === "BUSY";
  }
}

const MESSAGES = {
  OFFLINE: "The shop cannot be reached. Check your connection.",
  BUSY: "The shop is busy. Nothing happened; try again.",
  SIGNED_OUT: "Your visit has run out.",
};

function failed(kind, detail, code) {
  return new CallFailed(kind, detail ?? MESSAGES[kind], code);
}

async function send(url, options, signal) {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(url, { ...options, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw failed("OFFLINE");
  }
}

async function read(response) {
  try {
    return await response.json();
  } catch {
    throw failed(response.status >= 500 ? "OFFLINE" : "REFUSED", response.status >= 500 ? undefined : `The shop answered ${response.status}.`);
  }
}

/** JSON from one of the demo's own addresses. */
export async function json(url, options = {}) {
  const response = await send(url, { ...options, headers: { Accept: "application/json" } });
  if (response.status === 503) throw failed("BUSY");
  const body = await read(response);
  if (!response.ok) throw failed("REFUSED", body.error?.message ?? `The shop answered ${response.status}.`, body.error?.code);
  return body;
}

/** The `data` of one operation. `errors` of any kind end in CallFailed. */
export async function graphql(url, { query, operationName, variables, token, program, signal }) {
  const headers = {
    "Content-Type": "application/json",
    Accept: "application/graphql-response+json, application/json;q=0.9",
  };
  if (token) headers.Authorization = `Bearer ${token}`;
  else if (program) headers["X-Loyalty-Program"] = program;
  const response = await send(url, { method: "POST", headers, body: JSON.stringify({ query, operationName, variables }) }, signal);
  if (response.status === 401) throw failed("SIGNED_OUT");
  if (response.status === 503 || response.status === 429) throw failed("BUSY");
  const body = await read(response);
  const error = body.errors?.[0];
  if (error) throw problem(error, response.status);
  if (!body.data) throw failed("REFUSED", `The shop answered ${response.status} without data.`);
  return body.data;
}

function problem(error, status) {
  const code = error.extensions?.code ?? null;
  if (code === "UNAUTHENTICATED") return failed("SIGNED_OUT", undefined, code);
  if (code === "UNAVAILABLE") return failed("BUSY", undefined, code);
  // A masked error of the server's says nothing about what was done before it happened.
  const unknown = status >= 500 || code === "INTERNAL_ERROR";
  return failed(unknown ? "OFFLINE" : "REFUSED", unknown ? "Something went wrong at the shop. Try again." : error.message, code);
}
