//! The parameters that each call takes: one with a slip of the hand is refused by its name and never ignored, for an answer that ignored it would look
//! complete and not be.

use super::refusal::Refused;
use axum::extract::{Query, Request};
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Calls that are not named here take none.
const TAKEN: [(&str, &[&str]); 4] = [
    ("/api/commission/draft", &["revision"]),
    (
        "/api/kpi",
        &["from_ms", "to_ms", "chatter_count", "chatter_s"],
    ),
    ("/api/trend", &["points", "from_ms", "to_ms", "buckets"]),
    ("/api/transitions", &["before_seq", "limit", "alarm"]),
];

/// Lets a call through whose every parameter is known. Screens and their files, health and metrics are no calls: caches and scrapers add what they like.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    match check(request.uri()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

fn check(uri: &Uri) -> Result<(), Refused> {
    if !uri.path().starts_with("/api/") {
        return Ok(());
    }
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| Refused::bad("query", error.body_text()))?;
    let of_path = TAKEN.iter().find(|(path, _)| *path == uri.path());
    let taken = of_path.map_or(&[] as &[&str], |(_, taken)| taken);
    match (pairs.into_iter()).find(|(name, _)| !taken.contains(&&**name)) {
        Some((name, _)) => Err(Refused::bad(name, "this call does not take it".into())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(uri: &str) -> Option<String> {
        match check(&uri.parse().unwrap()) {
            Err(Refused::BadRequest { field, .. }) => Some(field.into_owned()),
            Err(_) | Ok(()) => None,
        }
    }

    #[test]
    fn a_parameter_that_a_call_does_not_take_is_refused_by_its_name() {
        let bad = |name: &str| Some(name.to_owned());
        assert_eq!(refused("/api/transitions?limits=5"), bad("limits"));
        assert_eq!(
            refused("/api/trend?points=a&from_ms=0&to_ms=1&site=x"),
            bad("site")
        );
        assert_eq!(refused("/api/live?since=5"), bad("since"));
        assert_eq!(refused("/api/transitions?limit=5&alarm=GT-1.HH"), None);
        assert_eq!(refused("/healthz?probe=1"), None);
        assert_eq!(refused("/?lang=en"), None);
    }
}
