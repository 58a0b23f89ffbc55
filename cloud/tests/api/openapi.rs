//! The OpenAPI document is a promise: it changes only when somebody changes the golden file too.

#[test]
fn the_document_is_the_golden_file() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let document = davy_cloud::api::openapi();
    if std::env::var_os("DAVY_RENEW_GOLDEN").is_some() {
        std::fs::write(file, &document).expect("the golden file");
    }
    let golden = std::fs::read_to_string(file).expect("the golden file");
    assert!(
        document == golden,
        "the API changed: look at the difference, then run with DAVY_RENEW_GOLDEN=1"
    );
}
