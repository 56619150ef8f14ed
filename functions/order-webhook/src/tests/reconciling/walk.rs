//! What is the same for every platform: a list that does not end, an API that says no, a source without a list.

use serde_json::json;

use super::*;
use crate::Unlisted;
use crate::tests::stand_in::{self, Reply};

const WOOCOMMERCE: &str = "api = { token = \"ck_key\", secret = \"cs_secret\", base = \"BASE\" }";
const SHOPIFY: &str = "api = { token = \"a-token\", base = \"BASE\" }";
const ORDERS: &str =
    "/admin/api/2026-01/orders.json?status=any&updated_at_min=2026-03-01T00%3A00%3A00Z&limit=100";

#[tokio::test]
async fn a_list_whose_next_page_is_the_same_again_comes_to_an_end() {
    let shop = Shop::of("shopify", SHOPIFY).await;
    let again = "/admin/api/2026-01/orders.json?limit=100&page_info=again";
    let link = ("Link", format!("<{}{again}>; rel=\"next\"", shop.platform.base));
    for path in [ORDERS, again] {
        shop.platform.on(path, [Reply::With(200, link.clone(), json!({"orders": []}).to_string())]);
    }
    let error = shop.reconcile().await.unwrap_err();
    assert!(matches!(error, ReconcileError::Endless(2)), "{error}");
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let shop = Shop::of("shopify", SHOPIFY).await;
    let cursor = |number: u32| format!("/admin/api/2026-01/orders.json?limit=100&page_info={number}");
    let page = |next: String| {
        Reply::With(200, ("Link", format!("<{next}>; rel=next")), json!({"orders": []}).to_string())
    };
    shop.platform.on(ORDERS, [page(cursor(1))]);
    shop.platform.on(&cursor(1), [page(cursor(2))]);
    shop.platform.on(&cursor(2), [page(cursor(1))]);
    let mut walk = shop.begin(at(SINCE)).unwrap();
    walk.have_read(crate::reconciliation::MAX_PAGES - 3);
    for _ in 0..3 {
        assert!(walk.next_page().await.unwrap().is_some());
    }
    assert!(matches!(walk.next_page().await, Err(ReconcileError::Endless(_))));
}

#[tokio::test]
async fn what_the_platform_says_of_waiting_is_heeded() {
    let shop = Shop::of("shopify", SHOPIFY).await;
    let busy = Reply::With(429, ("Retry-After", "0.002".to_owned()), String::new());
    shop.platform.on(ORDERS, [busy, stand_in::json(&json!({"orders": []}))]);
    assert_eq!(shop.reconcile().await.unwrap(), []);
    assert_eq!(shop.platform.asked().len(), 2);
}

#[tokio::test]
async fn an_api_that_says_no_ends_the_walk_with_what_to_mend_and_no_secret() {
    for (reply, told) in [
        (Reply::Status(401, "private".to_owned()), "api.token"),
        (Reply::Status(404, "private".to_owned()), "api.base"),
        (Reply::Status(500, "private".to_owned()), "away"),
        (Reply::Status(200, "{\"private\": 1}".to_owned()), "otherwise than documented"),
        (Reply::Status(200, "<private/>".to_owned()), "otherwise than documented"),
    ] {
        let shop = Shop::of("shopify", SHOPIFY).await;
        shop.platform.on(ORDERS, [reply]);
        let error = shop.reconcile().await.unwrap_err().to_string();
        assert!(error.contains(told) && !error.contains("private") && !error.contains("a-token"), "{error}");
    }
}

#[tokio::test]
async fn a_source_without_a_list_or_without_access_to_it_says_so() {
    for (platform, further, why) in [
        ("shopify", "", Unlisted::NoAccess),
        ("woocommerce", "", Unlisted::NoAccess),
        ("stripe", "", Unlisted::NoAccess),
        ("adobe_commerce", "", Unlisted::NoAccess),
        ("generic", "", Unlisted::Never),
    ] {
        let text = format!(
            "[shop]\nplatform = \"{platform}\"\nsecrets = [\"whsec_YS1zZWNyZXQtb2YtYS1zaG9w\"]\n{further}"
        );
        let sources = Sources::from_toml(&text).unwrap();
        let store = embedded_store().await;
        let begin = |name| {
            let clock = Clock::fixed(at(NOW));
            Reconciliation::begin(store.clone(), &sources, &source(name), at(SINCE), clock)
        };
        let error = begin("shop").unwrap_err();
        assert!(matches!(error, ReconcileError::Unlisted(told) if told == why), "{error}");
        assert_eq!(begin("nobody").unwrap_err().to_string(), "there is no source nobody; there is shop");
    }
}

#[tokio::test]
async fn nothing_shows_a_body_or_a_secret() {
    let shop = Shop::of("woocommerce", WOOCOMMERCE).await;
    let order = json!([{"id": "1", "billing": {"email": "private@example.com"}}]);
    let path = shop.begin(at(SINCE)).unwrap();
    assert!(!format!("{path:?} {:?}", path.recorder()).contains("cs_secret"));
    let first =
        shop.sources.named(&source("shop")).unwrap().list(at(SINCE), at(NOW)).unwrap().page().unwrap();
    shop.platform.on(first.url.strip_prefix(&shop.platform.base).unwrap(), [stand_in::json(&order)]);
    let mut walk = shop.begin(at(SINCE)).unwrap();
    let page = walk.next_page().await.unwrap().unwrap();
    assert_eq!(format!("{page:?}"), "[Listed(\"1\")]");
}
