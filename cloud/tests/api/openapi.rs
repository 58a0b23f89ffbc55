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

#[test]
fn every_parameter_stands_where_the_document_says() {
    let document: serde_json::Value =
        serde_json::from_str(&davy_cloud::api::openapi()).expect("JSON");
    let mut of_query = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                let in_path = path.contains(&format!("{{{name}}}"));
                let expected = if in_path { "path" } else { "query" };
                assert_eq!(parameter["in"], expected, "{method} {path}: {name}");
                of_query += usize::from(!in_path);
            }
        }
    }
    assert!(of_query > 30, "{of_query}");
}
