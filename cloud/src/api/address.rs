//! Where a call comes from, for the throttle of log-ins alone.

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The caller's address. Behind a proxy of this machine (docs/cloud.md) it is the one that the proxy added last to `X-Forwarded-For`; from elsewhere that
/// header is anybody's claim and is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // A test that calls the router itself comes from nowhere.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let peer = peer.to_canonical();
        let told = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let told = told.and_then(|value| value.to_str().ok()?.rsplit(',').next());
        let told = told.and_then(|last| last.trim().parse::<IpAddr>().ok());
        Ok(Self(told.filter(|_| peer.is_loopback()).unwrap_or(peer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    async fn address(peer: &str, forwarded: &str) -> String {
        let request = Request::builder().header("x-forwarded-for", forwarded);
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        let peer: SocketAddr = peer.parse().expect("an address");
        parts.extensions.insert(ConnectInfo(peer));
        let Ok(Address(found)) = Address::from_request_parts(&mut parts, &()).await;
        found.to_string()
    }

    #[tokio::test]
    async fn the_proxy_of_this_machine_is_believed_and_nobody_else() {
        assert_eq!(
            address("127.0.0.1:1", "10.9.9.9, 10.0.0.7").await,
            "10.0.0.7"
        );
        assert_eq!(address("[::1]:1", "fd00::7").await, "fd00::7");
        assert_eq!(address("127.0.0.1:1", "nonsense").await, "127.0.0.1");
        assert_eq!(address("10.0.0.3:1", "10.0.0.7").await, "10.0.0.3");
        assert_eq!(address("[::ffff:10.0.0.3]:1", "").await, "10.0.0.3");
    }
}
