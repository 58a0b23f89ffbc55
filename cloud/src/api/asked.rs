//! The parameters that each call takes, read from the OpenAPI document, so that one with a slip of the hand is refused by its name and never ignored:
//! a filter that did not work would make an answer look complete that is not, or small that is not.

use super::error::ApiError;
use axum::extract::Query;
use axum::http::Uri;
use std::collections::{BTreeSet, HashMap};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};

/// By method and path, as the document spells them: the names of a query's parameters.
#[derive(Debug)]
pub(crate) struct Asked(HashMap<(&'static str, String), BTreeSet<String>>);

impl Asked {
    pub(crate) fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let mut known = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                known.insert((method, path.clone()), names(operation));
            }
        }
        Self(known)
    }

    /// Every parameter of the query by its name and value.
    ///
    /// # Errors
    /// The query cannot be read, or names what the call does not take.
    pub(crate) fn read(
        &self,
        method: &'static str,
        path: &str,
        uri: &Uri,
    ) -> Result<Vec<(String, String)>, ApiError> {
        let unreadable = |_| ApiError::BadRequest {
            field: "query".into(),
        };
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unreadable)?;
        let known = self.0.get(&(method, path.to_owned()));
        let is_known = |name: &String| known.is_some_and(|known| known.contains(name));
        match pairs.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => Err(ApiError::BadRequest {
                field: name.clone().into(),
            }),
            None => Ok(pairs),
        }
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("DELETE", &item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn names(operation: &Operation) -> BTreeSet<String> {
    let parameters = operation.parameters.iter().flatten();
    let inline = parameters.filter_map(|one| match one {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    let of_query = inline.filter(|one| one.parameter_in == ParameterIn::Query);
    of_query.map(|one| one.name.clone()).collect()
}
