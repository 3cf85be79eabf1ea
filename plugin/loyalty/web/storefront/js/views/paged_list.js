// A list that starts with one page and grows by a button.

import { CallFailed } from "../api.js";
import { fill, h, say } from "../dom.js";
import { watch } from "../store.js";

/**
 * load(after) gives a connection; item(node) an <li>. It starts over when `key()` changes,
 * looked at whenever one of `watches` does; a null key means not yet.
 */
export function pagedList({ empty, load, item, watches, key, listClass = "list" }) {
  const box = h("div", { class: "paged" });
  let nodes = [];
  let page = null;
  let shown;

  async function more(after) {
    const mine = shown;
    box.setAttribute("aria-busy", "true");
    try {
      const connection = await load(after);
      if (mine !== shown) return;
      nodes = after ? [...nodes, ...connection.nodes] : connection.nodes;
      page = connection.pageInfo;
      draw(null);
      if (after) say(`${connection.nodes.length} more shown.`);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      if (mine === shown) draw(error, after);
    } finally {
      if (mine === shown) box.removeAttribute("aria-busy");
    }
  }

  function draw(failed, after) {
    fill(
      box,
      nodes.length > 0 && h("ul", { class: listClass }, nodes.map(item)),
      nodes.length === 0 && !failed && h("p", { class: "muted" }, empty),
      failed && h("p", { class: "failure" }, failed.message, " ", h("button", { "data-focus": "more", onclick: () => more(after) }, "Try again")),
      !failed && page?.hasNextPage && h("button", { class: "more", "data-focus": "more", onclick: () => more(page.endCursor) }, "Show more"),
    );
  }

  watch(watches, () => {
    const now = key();
    if (now === shown) return;
    shown = now;
    if (now !== null) more(null);
  });
  return box;
}
