//! Who may call what: a row for every route of the OpenAPI document, and the answer to each kind of caller.

use crate::city::City;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use davy_cloud::records::Role;
use std::collections::BTreeSet;

/// What each caller gets: nobody, an operator of the site, a regulator of its town, an administrator; and operator and regulator at another's site.
struct Row {
    method: &'static str,
    path: &'static str,
    body: &'static str,
    nobody: u16,
    operator: u16,
    regulator: u16,
    administrator: u16,
}

const fn row(
    method: &'static str,
    path: &'static str,
    body: &'static str,
    answers: [u16; 4],
) -> Row {
    let [nobody, operator, regulator, administrator] = answers;
    Row {
        method,
        path,
        body,
        nobody,
        operator,
        regulator,
        administrator,
    }
}

const REGULATOR: &str = r#"{"id":"li","name":"Li","role":"regulator","jurisdiction":{"city":"宁海"},"password":"a long password"}"#;

const KPI: &str = "/api/kpi?site={site}&from_ms=0&to_ms=1";
const KPI_CSV: &str = "/api/kpi.csv?site={site}&from_ms=0&to_ms=1";

const ROWS: [Row; 33] = [
    row("GET", "/healthz", "", [200, 200, 200, 200]),
    row("GET", "/metrics", "", [200, 200, 200, 200]),
    row("GET", "/api/openapi.json", "", [200, 200, 200, 200]),
    row(
        "POST",
        "/api/session",
        r#"{"user":"x","password":"y"}"#,
        [401, 401, 401, 401],
    ),
    row("GET", "/api/session", "", [401, 200, 200, 200]),
    row("GET", "/api/overview", "", [401, 200, 200, 200]),
    row("GET", "/api/alarms", "", [401, 200, 200, 200]),
    row("GET", "/api/events", "", [401, 200, 200, 200]),
    row("GET", "/api/sites/{site}", "", [401, 200, 200, 200]),
    row(
        "GET",
        "/api/sites/{site}/trend?points=GT-101&from_ms=0&to_ms=1",
        "",
        [401, 200, 200, 200],
    ),
    row("GET", "/api/history/alarms", "", [401, 200, 200, 200]),
    row("GET", "/api/history/alarms.csv", "", [401, 200, 200, 200]),
    row("GET", "/api/history/transitions", "", [401, 200, 200, 200]),
    row(
        "GET",
        "/api/sites/{site}/readings.csv?points=GT-101&from_ms=0&to_ms=1",
        "",
        [401, 200, 200, 200],
    ),
    row("GET", "/api/questions/{question}", "", [401, 200, 200, 200]),
    row("GET", "/api/export/{question}", "", [401, 200, 200, 200]),
    row(
        "GET",
        "/api/sites/{site}/case?from_ms=0&to_ms=1",
        "",
        [401, 200, 200, 200],
    ),
    row("GET", KPI, "", [401, 200, 200, 200]),
    row("GET", KPI_CSV, "", [401, 200, 200, 200]),
    row(
        "POST",
        "/api/sites/{site}/alarms/{alarm}/acknowledge",
        r#"{"occurrence":1,"note":"seen"}"#,
        [401, 202, 403, 202],
    ),
    row(
        "POST",
        "/api/sites/{site}/alarms/{alarm}/shelve",
        r#"{"minutes":5,"reason":"test"}"#,
        [401, 409, 403, 409],
    ),
    row(
        "POST",
        "/api/sites/{site}/alarms/{alarm}/unshelve",
        "",
        [401, 202, 403, 202],
    ),
    row("GET", "/api/audit", "", [401, 403, 403, 200]),
    row("GET", "/api/admin/users", "", [401, 403, 403, 200]),
    row("POST", "/api/admin/users", REGULATOR, [401, 403, 403, 201]),
    row(
        "PUT",
        "/api/admin/users/{id}",
        REGULATOR,
        [401, 403, 403, 200],
    ),
    row("DELETE", "/api/admin/users/{id}", "", [401, 403, 403, 204]),
    row("GET", "/api/admin/sites/{site}", "", [401, 403, 403, 200]),
    row(
        "PUT",
        "/api/admin/sites/{site}",
        r#"{"city":"宁海","town":"西店"}"#,
        [401, 403, 403, 200],
    ),
    row("GET", "/api/admin/quarantine", "", [401, 403, 403, 200]),
    row(
        "GET",
        "/api/admin/quarantine/{message}",
        "",
        [401, 403, 403, 404],
    ),
    row(
        "POST",
        "/api/admin/quarantine/{message}/replay",
        "",
        [401, 403, 403, 404],
    ),
    row("DELETE", "/api/session", "", [401, 204, 204, 204]),
];

impl Row {
    fn at(&self, site: &str) -> String {
        self.path
            .replace("{site}", site)
            .replace("{alarm}", "GT-101.HH")
            .replace("{id}", "li")
            .replace("{question}", "late")
            .replace("{message}", "1")
    }

    fn route(&self) -> (String, String) {
        let path = self.path.split('?').next().expect("a path");
        (self.method.to_owned(), path.to_owned())
    }
}

async fn answer(city: &City, row: &Row, site: &str, cookie: Option<&str>) -> u16 {
    let body = (!row.body.is_empty()).then(|| serde_json::from_str(row.body).expect("JSON"));
    let method: Method = row.method.parse().expect("a method");
    city.call(method, &row.at(site), cookie, body)
        .await
        .status()
        .as_u16()
}

#[test]
fn every_route_of_the_document_has_its_row() {
    let document: serde_json::Value =
        serde_json::from_str(&davy_cloud::api::openapi()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let routes: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("methods").keys();
            methods
                .map(|method| (method.to_uppercase(), path.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(routes, ROWS.iter().map(Row::route).collect());
}

#[tokio::test]
async fn nobody_gets_anything_without_a_session() {
    let city = City::new().await;
    for row in &ROWS {
        assert_eq!(
            answer(&city, row, "tank-farm", None).await,
            row.nobody,
            "{} {}",
            row.method,
            row.path
        );
        let stale = format!("davy_session={}", "0".repeat(64));
        let expected = row.nobody;
        assert_eq!(
            answer(&city, row, "tank-farm", Some(&stale)).await,
            expected,
            "{} {}",
            row.method,
            row.path
        );
    }
}

async fn check(role: Role, expected: impl Fn(&Row) -> u16) {
    let city = City::new().await;
    let cookie = city.login("wang", role).await;
    for row in &ROWS {
        let answered = answer(&city, row, "tank-farm", Some(&cookie)).await;
        assert_eq!(
            answered,
            expected(row),
            "{role:?} {} {}",
            row.method,
            row.path
        );
    }
}

#[tokio::test]
async fn an_operator_gets_its_own_site() {
    check(Role::Operator, |row| row.operator).await;
}

#[tokio::test]
async fn a_regulator_reads_its_town() {
    check(Role::Regulator, |row| row.regulator).await;
}

#[tokio::test]
async fn an_administrator_gets_everything() {
    check(Role::Administrator, |row| row.administrator).await;
}

#[tokio::test]
async fn another_site_is_closed_to_operators_and_regulators_on_every_route_that_names_it() {
    for role in [Role::Operator, Role::Regulator] {
        let city = City::new().await;
        let cookie = city.login("wang", role).await;
        for row in ROWS.iter().filter(|row| row.path.contains("{site}")) {
            for site in ["cold-store", "no-such-site"] {
                let answered = answer(&city, row, site, Some(&cookie)).await;
                assert_eq!(answered, 403, "{role:?} {} {}", row.method, row.at(site));
            }
        }
    }
}

/// The routes that take a parameter `site` in their query, as the document has it.
fn asking_for_a_site() -> Vec<String> {
    let document: serde_json::Value =
        serde_json::from_str(&davy_cloud::api::openapi()).expect("JSON");
    let takes_site = |item: &serde_json::Value| {
        let parameters = item["get"]["parameters"].as_array();
        parameters.is_some_and(|all| {
            (all.iter()).any(|one| one["name"] == "site" && one["in"] == "query")
        })
    };
    let paths = document["paths"].as_object().expect("paths");
    let paths = paths.iter().filter(|(_, item)| takes_site(item));
    paths.map(|(path, _)| path.clone()).collect()
}

#[tokio::test]
async fn a_question_for_another_site_is_refused_and_never_answered_with_nothing() {
    let asking = asking_for_a_site();
    assert!(asking.len() >= 4, "{asking:?}");
    for role in [Role::Operator, Role::Regulator] {
        let city = City::new().await;
        let cookie = city.login("wang", role).await;
        for path in &asking {
            for (site, expected) in [
                ("tank-farm", 200),
                ("cold-store", 403),
                ("no-such-site", 403),
            ] {
                let path = path.replace("{question}", "timeline");
                let path = format!("{path}?site={site}");
                let answered = city.call(Method::GET, &path, Some(&cookie), None).await;
                assert_eq!(answered.status().as_u16(), expected, "{role:?} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_parameter_that_a_call_does_not_take_is_refused_by_its_name() {
    let city = City::new().await;
    let cookie = city.login("adm", Role::Administrator).await;
    for row in ROWS
        .iter()
        .filter(|row| row.method == "GET" && row.nobody == 401)
    {
        let path = row.at("tank-farm");
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{joint}prioriti=1");
        let answered = city.call(Method::GET, &path, Some(&cookie), None).await;
        assert_eq!(answered.status(), StatusCode::BAD_REQUEST, "{path}");
        let body = axum::body::to_bytes(answered.into_body(), 10_000).await;
        let body: serde_json::Value = serde_json::from_slice(&body.expect("a body")).expect("JSON");
        assert_eq!(body["detail"]["field"], "prioriti", "{path} {body}");
    }
}

#[tokio::test]
async fn lists_hold_what_the_caller_may_see_and_nothing_else() {
    let city = City::new().await;
    for (id, role, expected) in [
        ("op", Role::Operator, 1),
        ("reg", Role::Regulator, 1),
        ("adm", Role::Administrator, 2),
    ] {
        let cookie = city.login(id, role).await;
        for (path, list) in [
            ("/api/overview", "sites"),
            ("/api/alarms", "alarms"),
            ("/api/history/alarms", "occurrences"),
            ("/api/history/transitions", "transitions"),
        ] {
            let answered = city.get(path, &cookie).await;
            assert_eq!(
                answered[list].as_array().expect("a list").len(),
                expected,
                "{role:?} {path}"
            );
        }
        if role == Role::Administrator {
            let path = "/api/history/alarms?site=cold-store";
            assert_eq!(city.get(path, &cookie).await["total"], 1);
        }
    }
}

#[tokio::test]
async fn a_form_of_another_origin_is_refused_even_with_a_session() {
    let city = City::new().await;
    let cookie = city.login("adm", Role::Administrator).await;
    for row in ROWS.iter().filter(|row| row.method != "GET") {
        let request = Request::builder()
            .method(row.method)
            .uri(row.at("tank-farm"))
            .header(header::COOKIE, &cookie)
            .header(header::HOST, "city.example")
            .header(header::ORIGIN, "https://evil.example")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(row.body))
            .expect("a request");
        assert_eq!(
            city.send(request).await.status(),
            StatusCode::FORBIDDEN,
            "{} {}",
            row.method,
            row.path
        );
    }
}

#[tokio::test]
async fn a_regulator_follows_its_jurisdiction_when_a_site_moves() {
    let city = City::new().await;
    let cookie = city.login("reg", Role::Regulator).await;
    let mut registry = city
        .records
        .site("tank-farm")
        .await
        .expect("an answer")
        .expect("the site")
        .registry;
    registry.place.town = "梅林".into();
    city.records
        .put_registry("tank-farm", &registry)
        .await
        .expect("a registry");
    let answered = city
        .call(Method::GET, "/api/sites/tank-farm", Some(&cookie), None)
        .await;
    assert_eq!(answered.status(), StatusCode::FORBIDDEN);
}
