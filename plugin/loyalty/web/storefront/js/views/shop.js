// The shop's shelves: search and page through the catalogue.

import { PRODUCTS } from "../documents.js";
import { byId, h } from "../dom.js";
import { icon } from "../icons.js";
import { ask } from "../session.js";
import { get, set, viewer } from "../store.js";
import { pagedList } from "./paged_list.js";
import { productCard } from "./product_card.js";

const QUIET_MS = 300;
const WIDE = matchMedia("(min-width: 1080px)");

export function showShop() {
  let timer = 0;
  let visited = false;
  const search = h("input", {
    id: "search",
    type: "search",
    autocomplete: "off",
    placeholder: "Milk, apples, soap…",
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => set({ search: search.value.trim() }), QUIET_MS);
    },
  });
  const list = pagedList({
    empty: "Nothing found. Try another word.",
    listClass: "shelf wide",
    async load(after) {
      const wanted = get("search");
      return (await ask(PRODUCTS, { after, ...(wanted ? { search: wanted } : {}) })).products;
    },
    item: (product) => h("li", {}, productCard(product, "h2")),
    watches: ["search", "member", "session", "route"],
    key: () => {
      // On wide screens the shelves stand beside the cart too.
      visited ||= get("route").page === "shop" || (get("route").page === "cart" && WIDE.matches);
      return visited && viewer() ? `${viewer()}/${get("search") ?? ""}` : null;
    },
  });
  byId("page-shop").append(
    h("h1", {}, "Shop"),
    h("div", { class: "search" }, h("label", { for: "search" }, "Search the shop"), h("div", { class: "field" }, icon("search"), search)),
    list,
  );
}
