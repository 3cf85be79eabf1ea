// Every operation this page sends with the shopper's token. A test checks them against the
// published schema, graphql/storefront.graphql.

const MONEY = `fragment Amount on Money { amount currencyCode }`;

const MEMBER = `fragment Card on Member {
  id externalId state name joinedAt version
  balance {
    pointType name available pending held deficit nextPendingAt
    expiringSoon { points at }
    value { ...Amount }
  }
  tier {
    state since until qualifying
    current { code name threshold }
    next { tier { code name threshold } pointsMissing by }
    benefits { code name }
  }
}`;

const PRODUCT = `fragment Shelf on Product {
  id externalId name category department type brand inStock tiers tiersUntil invented
  price { ...Amount }
}`;

function operation(name, text, ...fragments) {
  return { name, text: [text, ...fragments].join("\n") };
}

const PROGRAM = `fragment Rules on Program {
  code name currencyCode timeZone rulesetVersion
  pointTypes { code name spendable qualifying }
  tiers { code name threshold multiplier benefits { code name } }
  rewards { code name kind points percent tiers needsCoupon value { ...Amount } }
  pointValue { ...Amount }
}`;

export const HOME = operation("Home", `query Home { program { ...Rules } member { ...Card } }`, PROGRAM, MEMBER, MONEY);

export const GUEST_HOME = operation("GuestHome", `query GuestHome { program { ...Rules } }`, PROGRAM, MONEY);

export const MEMBER_CARD = operation("MemberCard", `query MemberCard { member { ...Card } }`, MEMBER, MONEY);

export const MEMBER_CHANGED = operation(
  "MemberChanged",
  `subscription MemberChanged { memberChanged { reason member { ...Card } } }`,
  MEMBER,
  MONEY,
);

export const HISTORY = operation(
  "History",
  `query History($after: String) {
    member {
      history(first: 8, after: $after) {
        nodes { id kind pointType points held effectiveAt bookedAt orderExternalId description }
        pageInfo { hasNextPage endCursor }
      }
    }
  }`,
);

export const ORDERS = operation(
  "Orders",
  `query Orders($after: String) {
    member {
      orders(first: 6, after: $after) {
        nodes {
          id externalId state occurredAt pointsEarned pointsRedeemed mismatch
          total { ...Amount }
          discount { ...Amount }
          tender { points value { ...Amount } }
          lines { product quantity amount { ...Amount } discount { ...Amount } }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }`,
  MONEY,
);

export const OFFERS = operation(
  "Offers",
  `query Offers {
    offers(first: 10) {
      id name state endsAt
      reason { message }
      gives { minimumPurchase { ...Amount } }
    }
  }`,
  MONEY,
);

export const OFFER_ACTIVATE = operation(
  "OfferActivate",
  `mutation OfferActivate($input: OfferActivateInput!) {
    offerActivate(input: $input) { offer { id state } userErrors { code message } }
  }`,
);

export const RECOMMENDATIONS = operation(
  "Recommendations",
  `query Recommendations(
    $window: RecommendationWindow!, $first: Int!, $product: ExternalId, $cart: [ExternalId!], $locale: String,
    $session: ExternalId
  ) {
    recommendations(
      window: $window, first: $first, product: $product, cart: $cart, locale: $locale, session: $session
    ) {
      recommendationId window strategy trainedAt modelId language
      items {
        rank strategy boosts
        reason { code text }
        product { ...Shelf }
        loyalty {
          priceAfterBestReward { ...Amount }
          bestRewards { code name points }
          pointsEarned
          liftsToTier { code name }
          coveredByExpiringPoints { points pointType expiresAt }
        }
      }
    }
  }`,
  PRODUCT,
  MONEY,
);

export const RECOMMENDATION_EVENTS = operation(
  "RecommendationEvents",
  `mutation RecommendationEvents($input: RecommendationEventsInput!) {
    recommendationEvents(input: $input) { recorded userErrors { code message } }
  }`,
);

export const PRODUCT_VIEWS = operation(
  "ProductViews",
  `mutation ProductViews($input: ProductViewsInput!) {
    productViews(input: $input) { remembered userErrors { code message } }
  }`,
);

export const PRODUCTS = operation(
  "Products",
  `query Products($search: String, $after: String) {
    products(first: 12, search: $search, after: $after) {
      nodes { ...Shelf }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  PRODUCT,
  MONEY,
);

export const PRODUCT_BY_ID = operation(
  "Product",
  `query Product($externalId: ExternalId!) { product(externalId: $externalId) { ...Shelf } }`,
  PRODUCT,
  MONEY,
);

export const QUOTE = operation(
  "Quote",
  `query Quote($input: CheckoutQuoteInput!) {
    checkoutQuote(input: $input) {
      quote {
        hash binding validUntil language
        tier { code name }
        subtotal { ...Amount }
        discount { ...Amount }
        shipping { ...Amount }
        shippingLine { net { ...Amount } discount { ...Amount } parts { reward amount { ...Amount } } }
        tax { ...Amount }
        taxIncluded
        total { ...Amount }
        payable { ...Amount }
        tender { points value { ...Amount } }
        giftCards { label amount { ...Amount } }
        credit { ...Amount }
        lines {
          id product
          gross { ...Amount }
          discount { ...Amount }
          net { ...Amount }
          parts { reward amount { ...Amount } }
        }
        candidates {
          reward name kind couponCode tier outcome reason message points
          discount { ...Amount }
          capped { ...Amount }
          nearestChange { kind message }
        }
        earnings { pointType points availableAt expiresAt }
        margin { limited }
      }
      userErrors { code message field }
    }
  }`,
  MONEY,
);
