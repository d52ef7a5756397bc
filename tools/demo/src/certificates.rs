//! `envoy/certificates.yaml`: client certificates, and tokens that are bound to them (RFC 8705).

use std::sync::Arc;

use serde_json::json;

use crate::bearer;
use crate::situation::{Credential, Situation};
use crate::support::certificate::{Certificate, Names, TRUSTED};
use crate::support::example::Mint;

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";
const STOCK: &str = "spiffe://cluster.local/ns/shop/sa/stock";
const BANK: &str = "spiffe://cluster.local/ns/bank/sa/pay";

const PLAIN: &str = r#"Bearer realm="orders""#;
const INVALID_TOKEN: &str = r#"Bearer realm="orders", error="invalid_token""#;

/// Certificates of three services, and a token that is bound to the first.
pub fn situations(mint: &Mint) -> Vec<Situation> {
    let [cart, stock, bank] =
        [CART, STOCK, BANK].map(|name| Arc::new(TRUSTED.certificate(&Names::uri(name))));
    let cnf = json!({"x5t#S256": cart.thumbprint()});
    let token = bearer(&mint.token(&json!({"scope": "orders:read", "cnf": cnf})));
    let get = |certificate: &Arc<Certificate>, path, content, authorization: &[&[u8]]| {
        let credential = Credential::authorization(authorization);
        Situation {
            certificate: Some(Arc::clone(certificate)),
            ..Situation::get(path, content, credential)
        }
    };
    vec![
        get(&cart, "/stock/7", "the certificate of the cart", &[]).expect(
            200,
            "",
            "the name is that of a service of the shop",
        ),
        get(&bank, "/stock/7", "the certificate of the bank", &[]).expect(
            403,
            "",
            "no pattern matches the name, and no scheme asks for certificates",
        ),
        get(&stock, "/refunds/7", "the certificate of the stock", &[]).expect(
            403,
            "",
            "refunds are for the cart",
        ),
        get(&cart, "/orders/17", "the certificate of the cart", &[]).expect(
            401,
            PLAIN,
            "the rule requires a token",
        ),
        get(
            &cart,
            "/orders/17",
            "the certificate and its token",
            &[&token],
        )
        .expect(200, "", "the token is bound to the certificate"),
        get(
            &stock,
            "/orders/17",
            "another certificate and the token",
            &[&token],
        )
        .expect(
            401,
            INVALID_TOKEN,
            "the token is bound to another certificate",
        ),
    ]
}
