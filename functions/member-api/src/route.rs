//! Which thing an address names, and what was asked of it.

use std::collections::HashMap;

use domain::{DeviceId, MemberId, RatingId};
use lambda_http::http::{Method, Uri};
use percent_encoding::percent_decode_str;
use runtime::Problem;

/// The segment before the member. What stands before it is the API's stage.
const MEMBERS: &str = "members";
const JOURNAL: &str = "journal";
const DEVICES: &str = "devices";
const RATINGS: &str = "ratings";
const MERGE: &str = "merge";
const UNMERGE: &str = "unmerge";

/// A thing with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/members`, `/members?source=…&customer=…`
    Members,
    /// `/members/{member}`
    Member(MemberId),
    /// `/members/{member}/journal`
    Journal(MemberId),
    /// `/members/{member}/devices/{device}`
    Device(MemberId, DeviceId),
    /// `/members/{member}/merge`
    Merge(MemberId),
    /// `/members/{member}/unmerge`
    Unmerge(MemberId),
    /// `/members/{member}/ratings/{rating}`
    Rating(MemberId, RatingId),
}

impl Route {
    /// Reads an address; a trailing slash changes nothing.
    pub(crate) fn of(path: &str) -> Result<Self, Problem> {
        let unknown = || {
            Problem::not_found(
                "The addresses here are /members, /members/{member} and below that /journal, /merge, /unmerge, /devices/{device} and /ratings/{rating}.",
            )
        };
        let segments: Vec<String> =
            path.trim_matches('/').split('/').map(decode).collect::<Option<_>>().ok_or_else(unknown)?;
        let start = segments.iter().position(|segment| segment == MEMBERS).ok_or_else(unknown)?;
        let rest: Vec<&str> = segments.iter().skip(start + 1).map(String::as_str).collect();
        match rest.as_slice() {
            [] => Ok(Self::Members),
            [member] => Ok(Self::Member(member_id(member)?)),
            [member, JOURNAL] => Ok(Self::Journal(member_id(member)?)),
            [member, MERGE] => Ok(Self::Merge(member_id(member)?)),
            [member, UNMERGE] => Ok(Self::Unmerge(member_id(member)?)),
            [member, DEVICES, device] => Ok(Self::Device(member_id(member)?, device_id(device)?)),
            [member, RATINGS, rating] => Ok(Self::Rating(member_id(member)?, rating_id(rating)?)),
            _ => Err(unknown()),
        }
    }

    /// The methods that this thing understands.
    pub(crate) fn methods(&self) -> &'static [Method] {
        match self {
            Self::Members => &[Method::GET, Method::POST],
            Self::Member(_) | Self::Journal(_) => &[Method::GET],
            Self::Device(..) => &[Method::PUT, Method::DELETE],
            Self::Rating(..) => &[Method::PUT],
            Self::Merge(_) | Self::Unmerge(_) => &[Method::POST],
        }
    }
}

/// The query of an address by name; of a name given twice, the last.
pub(crate) fn query_of(uri: &Uri) -> HashMap<String, String> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

fn decode(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(|decoded| decoded.into_owned())
}

fn member_id(text: &str) -> Result<MemberId, Problem> {
    MemberId::new(text).map_err(|error| Problem::bad_request(format!("The member's identifier {error}.")))
}

fn device_id(text: &str) -> Result<DeviceId, Problem> {
    DeviceId::new(text).map_err(|error| Problem::bad_request(format!("The device's identifier {error}.")))
}

fn rating_id(text: &str) -> Result<RatingId, Problem> {
    RatingId::new(text).map_err(|error| Problem::bad_request(format!("The rating's identifier {error}.")))
}

#[cfg(test)]
mod tests {
    use lambda_http::http::StatusCode;

    use super::*;

    fn member() -> MemberId {
        MemberId::new("M-1").unwrap()
    }

    #[test]
    fn every_address_is_read_with_a_stage_before_it_and_a_slash_behind_it() {
        let device = DeviceId::new("phone").unwrap();
        for (path, route) in [
            ("/members", Route::Members),
            ("/prod/members/", Route::Members),
            ("/members/M-1", Route::Member(member())),
            ("/members/M%2D1/", Route::Member(member())),
            ("/prod/members/M-1/journal", Route::Journal(member())),
            ("/members/M-1/merge", Route::Merge(member())),
            ("/members/M-1/unmerge", Route::Unmerge(member())),
            ("/members/M-1/devices/phone", Route::Device(member(), device)),
            ("/members/M-1/ratings/trip%2F7", Route::Rating(member(), RatingId::new("trip/7").unwrap())),
        ] {
            assert_eq!(Route::of(path), Ok(route), "{path}");
        }
    }

    #[test]
    fn another_address_is_not_found_and_a_bad_identifier_is_named() {
        let status = |path: &str| Route::of(path).unwrap_err().status;
        for path in ["/", "", "/webhooks/shop", "/members/M-1/orders", "/members/M-1/devices", "/members/%ff"]
        {
            assert_eq!(status(path), StatusCode::NOT_FOUND, "{path}");
        }
        for path in ["/members/M%2F1", "/members/M 1", "/members//journal", "/members/M-1/devices/%0a"] {
            assert_eq!(status(path), StatusCode::BAD_REQUEST, "{path}");
        }
        assert_eq!(status(&format!("/members/{}", "x".repeat(5_000))), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_query_is_decoded() {
        let query = query_of(&"/members?source=shop&customer=a%2Bb+c&empty".parse().unwrap());
        assert_eq!(query["customer"], "a+b c");
        assert_eq!(query["empty"], "");
    }
}
