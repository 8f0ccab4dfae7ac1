//! `wss://`: whom the client believes.

use std::fs;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::play;
use crate::support::app::{Instance, TestApp};

/// A proxy that speaks TLS as `localhost`, as in front of a deployment: its address, and its certificate.
async fn proxy(server: &Instance) -> (String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = server.url("").trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, target) = (acceptor.clone(), target.clone());
            tokio::spawn(async move {
                // Who does not believe the certificate hangs up.
                let Ok(mut inside) = acceptor.accept(stream).await else { return };
                let mut server = TcpStream::connect(target).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut inside, &mut server).await;
            });
        }
    });
    (format!("wss://localhost:{port}"), cert.pem())
}

#[tokio::test]
async fn a_certificate_must_be_known() {
    let app = TestApp::sqlite().await;
    let (url, certificate) = proxy(&app).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem").display().to_string();
    fs::write(&file, certificate).unwrap();
    let known = [("SSL_CERT_FILE", &*file)];
    let said = play(&url, &[], &known, "ping\nsignup customer ada@example.org correct horse").await.well();
    assert!(said.contains("connected to wss://localhost"), "{said}");

    let (_, other) = proxy(&app).await;
    fs::write(&file, other).unwrap();
    play(&url, &["--patience", "1"], &known, "ping").await.badly(3, &["certificate"]);
}
