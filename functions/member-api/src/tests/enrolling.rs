//! Enrolments, told to a real store.

use super::*;

impl Bench {
    async fn enrol(&self, body: Value) -> (u16, Value) {
        ask(&self.api, "POST", "/members", &body.to_string()).await
    }
}

#[tokio::test]
async fn whoever_enrols_is_a_member_and_is_found_under_every_name() {
    let bench = Bench::new().await;
    let body = json!({
        "source": "shop", "customer": "8", "email": " B@example.com", "name": "B", "locale": "pt_BR",
        "consent": false,
    });
    let (status, account) = bench.enrol(body.clone()).await;
    assert_eq!((status, &account["balance"], &account["tier"]), (201, &json!(0), &Value::Null));
    assert_eq!(bench.get("/members?source=shop&customer=8").await.1, account);
    let member = MemberId::new(account["member"].as_str().unwrap()).unwrap();
    let contact = bench.store.contact(&member).await.unwrap().unwrap();
    assert_eq!(contact.verified_email(), Some("b@example.com"), "the shop vouches for it");
    assert_eq!((contact.name.as_deref(), contact.locale.as_deref()), (Some("B"), Some("pt-BR")));

    assert_eq!(bench.enrol(body).await, (200, account.clone()), "asked again, nothing more happens");
    assert_eq!(bench.enrol(json!({"email": "b@example.com"})).await, (200, account));
    let contact = bench.store.contact(&member).await.unwrap().unwrap();
    assert_eq!(contact.consent, Some(false), "what is not told again stays");
}

#[tokio::test]
async fn a_member_is_given_further_names_where_they_are_free() {
    let bench = Bench::new().await;
    let (status, account) =
        bench.enrol(json!({"source": "shop", "customer": "a#7", "email": "a@example.com"})).await;
    assert_eq!((status, &account["member"], &account["balance"]), (200, &json!(bench.member), &json!(1000)));
    let found = bench.enrol(json!({"email": "a@example.com"})).await;
    assert_eq!((found.0, &found.1["member"]), (200, &json!(bench.member)));
    let contact = bench.store.contact(&bench.member).await.unwrap().unwrap();
    assert_eq!(contact.verified_email(), Some("a@example.com"));
}

#[tokio::test]
async fn whoever_enrols_with_a_phone_number_is_found_by_it() {
    let bench = Bench::new().await;
    let (status, account) = bench.enrol(json!({"phone": "+33612345678"})).await;
    assert_eq!(status, 201);
    let again = bench.enrol(json!({"phone": "+33612345678", "email": "c@example.com"})).await;
    assert_eq!(again, (200, account));
}

#[tokio::test]
async fn names_of_two_members_are_refused_with_what_to_do() {
    let bench = Bench::new().await;
    let (_, other) = bench.enrol(json!({"email": "b@example.com"})).await;
    let both = json!({"source": "shop", "customer": "a#7", "email": "b@example.com"});
    let (status, problem) = bench.enrol(both.clone()).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("merge them first"), "{problem}");

    let from = json!({"from": other["member"]}).to_string();
    let merged = ask(&bench.api, "POST", &format!("/members/{}/merge", bench.member), &from).await;
    let (status, account) = bench.enrol(both).await;
    assert_eq!((status, &account), (200, &merged.1), "then they are one");
}

#[tokio::test]
async fn many_enrolments_of_one_person_at_once_end_in_one_member() {
    let bench = Bench::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..12 {
        let api = bench.api.clone();
        // Each knows one name more than what all of them share.
        let body = json!({
            "source": "shop", "customer": format!("many-{}", number % 3), "email": "many@example.com",
        });
        tasks.spawn(async move { ask(&api, "POST", "/members", &body.to_string()).await });
    }
    let answers = tasks.join_all().await;
    let member = answers[0].1["member"].clone();
    assert!(answers.iter().all(|(_, account)| account["member"] == member), "{answers:?}");
    let mut statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[10], statuses[11]), (200, 200, 201));
    for number in 0..3 {
        let found = bench.get(&format!("/members?source=shop&customer=many-{number}")).await.1;
        assert_eq!(found["member"], member);
    }
}

#[tokio::test]
async fn an_enrolment_that_cannot_be_taken_says_why() {
    let bench = Bench::new().await;
    for (body, problem) in [
        (json!({"phone": "06 12 34 56 78"}), "phone: is no phone number"),
        (json!({}), "Say who enrols"),
        (json!({"name": "B", "source": "shop"}), "Say who enrols"),
        (json!({"customer": "8"}), "source: is missing"),
        (json!({"source": "my shop", "customer": "8"}), "source: has a character"),
        (json!({"source": "shop", "customer": ""}), "customer: is empty"),
        (json!({"email": "nobody"}), "email: is not an e-mail address"),
        (json!({"email": "b@example.com", "locale": "../etc"}), "locale: is not a language tag"),
        (json!({"email": "b@example.com", "mail": "b@example.com"}), "The body is JSON"),
        (json!({"source": "shop", "customer": 8}), "The body is JSON"),
        (json!({"email": "b@example.com", "consent": "no"}), "The body is JSON"),
    ] {
        let (status, answer) = bench.enrol(body).await;
        assert_eq!(status, 400);
        assert!(answer["detail"].as_str().unwrap().starts_with(problem), "{answer}");
    }
    let long = json!({"email": "b@example.com", "name": "x".repeat(9_000)});
    assert_eq!(bench.enrol(long).await.0, 413);
}
