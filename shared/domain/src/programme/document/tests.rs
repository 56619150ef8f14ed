//! A programme that is wrong says where.

use crate::Programme;

#[test]
fn a_programme_says_where_it_is_wrong() {
    let wrong = |from: &str, to: &str| {
        let text = include_str!("../../../../../programme.toml");
        assert!(text.contains(from), "{from}");
        Programme::from_toml(&text.replacen(from, to, 1)).unwrap_err().to_string()
    };
    assert!(wrong("[earning]", "[earning]\nfoo = 1").contains("foo"));
    assert!(
        wrong("points_per_unit = \"10\"", "points_per_unit = \"-1\"").starts_with("earning.points_per_unit")
    );
    for (rates, place) in
        [("USD = \"0\"", "USD"), ("EUR = \"1\"", "EUR"), ("US = \"1\"", "US"), ("USD = \"-1\"", "USD")]
    {
        let problem = wrong("[earning]", &format!("[earning]\nexchange_rates = {{ {rates} }}"));
        assert!(problem.starts_with(&format!("earning.exchange_rates.{place}: ")), "{problem}");
    }
    assert!(wrong("Europe/Paris", "Europe/Atlantis").starts_with("time_zone"));
    assert!(wrong("\"12 months\"", "\"12 moons\"").starts_with("expiry.after_inactivity"));
    assert!(wrong("points = 5000", "points = 0").starts_with("rewards[0].points"));
    assert!(wrong("percent = \"10\"", "percent = \"101\"").starts_with("rewards[0].coupon.percent"));
    let in_tiers = |line: &str| wrong("[tiers]", &format!("[tiers]\n{line}"));
    assert!(in_tiers("minimum_rating = \"4.705\"").starts_with("tiers.minimum_rating"));
    assert!(in_tiers("minimum_rating = \"0\"").starts_with("tiers.minimum_rating"));
    assert!(in_tiers("ratings = { last = 10 }").starts_with("tiers.ratings"));
    assert!(in_tiers("minimum_rating = \"4\"\nratings = { last = 0 }").starts_with("tiers.ratings.last"));
    let aside = "minimum_rating = \"4\"\nratings = { set_aside = { average_below = \"2\", after = 0 } }";
    assert!(in_tiers(aside).starts_with("tiers.ratings.set_aside.after"));
    assert!(in_tiers("downgrade = { one_level_at_a_time = true }").starts_with("tiers.downgrade"));
    assert!(in_tiers("downgrade = { grace = \"a while\" }").starts_with("tiers.downgrade.grace"));
    assert!(in_tiers("downgrade = { keep_until_end_of = \"week\" }").contains("week"));
    let twice = include_str!("../../../../../programme.toml").to_owned()
        + "\n[[rewards]]\nid = \"other\"\npoints = 1\nautomatic = true\ncoupon = { free_shipping = true }\n";
    assert!(Programme::from_toml(&twice).unwrap_err().to_string().starts_with("rewards[1].automatic"));
}
