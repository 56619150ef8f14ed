//! Ratings, told to a real store.

use super::*;

impl Bench {
    async fn rate(&self, rating: &str, body: Value) -> (u16, Value) {
        let path = format!("/members/{}/ratings/{rating}", self.member);
        ask(&self.api, "PUT", &path, &body.to_string()).await
    }

    async fn account(&self) -> Value {
        self.get(&format!("/members/{}", self.member)).await.1
    }
}

fn stars(score: &str) -> Value {
    json!({"score": score, "rated_at": "2026-03-01T09:58:00Z", "rater": "rider-3"})
}

#[tokio::test]
async fn a_rating_below_the_minimum_takes_the_tier_and_a_better_one_gives_it_back() {
    let bench = Bench::new().await;
    let low = json!({
        "member": bench.member, "tier": null,
        "rating": {"average": "4.5", "count": 1, "minimum": "4.7"},
    });
    assert_eq!(bench.rate("trip-1", stars("4.5")).await, (200, low.clone()));
    assert_eq!(bench.rate("trip-1", stars("4.5")).await, (200, low), "told twice, it counts once");
    let account = bench.account().await;
    assert_eq!((&account["tier"], &account["balance"]), (&Value::Null, &json!(1000)));
    assert_eq!(account["rating"]["average"], "4.5");

    let (status, answer) =
        bench.rate("trip-2", json!({"score": 5, "rated_at": "2026-03-01T10:00:00Z"})).await;
    assert_eq!((status, &answer["tier"]), (200, &json!("silver")));
    assert_eq!(answer["rating"], json!({"average": "4.75", "count": 2, "minimum": "4.7"}));
}

#[tokio::test]
async fn the_same_rating_with_another_score_is_corrected() {
    let bench = Bench::new().await;
    bench.rate("trip-1", stars("1")).await;
    let (_, answer) = bench.rate("trip-1", stars("4.9")).await;
    assert_eq!(answer["rating"], json!({"average": "4.9", "count": 1, "minimum": "4.7"}));
    let (_, journal) = bench.get(&format!("/members/{}/journal", bench.member)).await;
    let told: Vec<_> = journal["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["kind"] == "rated")
        .map(|entry| (entry["cause"].clone(), entry["n"].clone(), entry["score"].clone()))
        .collect();
    let cause = json!("rating/trip-1");
    assert_eq!(told, [(cause.clone(), json!(1), json!("4.9")), (cause, json!(0), json!("1"))]);
    let (_, page) = bench.get(&format!("/members/{}/journal?limit=1", bench.member)).await;
    assert!(!page.to_string().contains("rider-3"), "a rater is kept as a digest");
}

#[tokio::test]
async fn many_ratings_at_once_are_all_counted() {
    let bench = Bench::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..12 {
        let (api, member) = (bench.api.clone(), bench.member.clone());
        tasks.spawn(async move {
            ask(&api, "PUT", &format!("/members/{member}/ratings/{number}"), &stars("5").to_string()).await.0
        });
    }
    assert!(tasks.join_all().await.iter().all(|status| *status == 200));
    assert_eq!(bench.account().await["rating"], json!({"average": "5", "count": 12, "minimum": "4.7"}));
}

#[tokio::test]
async fn a_rating_that_cannot_be_taken_says_why() {
    let bench = Bench::new().await;
    for (body, problem) in [
        (json!({"score": "4.705", "rated_at": "2026-03-01T10:00:00Z"}), "score: must be"),
        (json!({"score": -1, "rated_at": "2026-03-01T10:00:00Z"}), "score: must be"),
        (json!({"score": 5, "rated_at": "yesterday"}), "rated_at: is not an instant"),
        (json!({"score": 5, "rated_at": "2026-03-01T10:06:00Z"}), "rated_at: lies in the future"),
        (json!({"score": 5, "rated_at": "2026-03-01T10:00:00Z", "rater": ""}), "rater: is empty"),
        (json!({"score": 5, "stars": 5, "rated_at": "2026-03-01T10:00:00Z"}), "The body is JSON"),
        (json!({"score": 5}), "The body is JSON"),
    ] {
        let (status, answer) = bench.rate("trip-1", body).await;
        assert_eq!(status, 400);
        assert!(answer["detail"].as_str().unwrap().starts_with(problem), "{answer}");
    }
    assert_eq!(ask(&bench.api, "PUT", "/members/NOBODY/ratings/1", &stars("5").to_string()).await.0, 404);
    assert_eq!(bench.account().await["rating"]["count"], 0);
}

#[tokio::test]
async fn a_programme_that_asks_for_no_rating_takes_none() {
    let bench = Bench::new().await;
    let without = PROGRAMME.replace("minimum_rating = \"4.7\"\n", "");
    bench.store.publish(&Programme::from_toml(&without).unwrap(), at(ORDERED_AT)).await.unwrap();
    let api = api(&bench.store, &bench.sns, "2026-03-01T10:10:00Z");
    let path = format!("/members/{}/ratings/trip-1", bench.member);
    let (status, problem) = ask(&api, "PUT", &path, &stars("5").to_string()).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("tiers.minimum_rating"));
    let (_, account) = ask(&api, "GET", &format!("/members/{}", bench.member), "").await;
    assert!(account.get("rating").is_none());
}
