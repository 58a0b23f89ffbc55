//! The one listener's answers, by whichever plant is on: a change of the site file changes that, and no connection.

use super::Plant;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tower::ServiceExt as _;

/// Where the present plant is looked up, once a request.
#[derive(Clone, Debug)]
pub struct Stage(Arc<Mutex<Router>>);

impl Stage {
    pub fn new(plant: Arc<Plant>) -> Self {
        Self(Arc::new(Mutex::new(super::router(plant))))
    }

    /// Another plant answers from now on.
    pub fn set(&self, plant: Arc<Plant>) {
        let router = super::router(plant);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = router;
    }

    /// Answers each request as the present plant does.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    fn present(&self) -> Router {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn answer(State(stage): State<Stage>, request: Request) -> Result<Response, Infallible> {
    stage.present().oneshot(request).await
}
