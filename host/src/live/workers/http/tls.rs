//! TLS, and whom it trusts: the system's certificates, and those that
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` add to them. Where a machine has none at all,
//! those that Mozilla trusts.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Where systems keep the certificates that they trust, as one file. It is read where
/// the environment names more: without that, `rustls-native-certs` finds them.
const OF_SYSTEMS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// TLS for all connections of a client. The certificates are read when it is first
/// needed.
#[derive(Default)]
pub(super) struct Tls(OnceCell<TlsConnector>);

/// There is no TLS.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoTls {
    #[error("no certificates can be read from {0}: {1}")]
    Certificates(&'static str, String),
    #[error("TLS cannot be set up: {0}")]
    Config(#[from] rustls::Error),
    #[error("the certificates cannot be read: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

impl Tls {
    pub(super) async fn connector(&self) -> Result<&TlsConnector, NoTls> {
        let set_up = || async {
            let trusted = tokio::task::spawn_blocking(|| {
                trusted(env::var_os("SSL_CERT_FILE"), env::var_os("SSL_CERT_DIR"))
            });
            Ok(connector(trusted.await??)?)
        };
        self.0.get_or_try_init(set_up).await
    }
}

fn connector(trusted: RootCertStore) -> Result<TlsConnector, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Whom to trust, where the environment names this file and these folders.
fn trusted(file: Option<OsString>, folders: Option<OsString>) -> Result<RootCertStore, NoTls> {
    let file = file.filter(|it| !it.is_empty()).map(PathBuf::from);
    let folders = folders.filter(|it| !it.is_empty());
    let mut trusted = RootCertStore::empty();
    if file.is_none() && folders.is_none() {
        add(&mut trusted, load_native_certs());
    } else {
        let system = OF_SYSTEMS.into_iter().map(Path::new);
        if let Some(system) = system.into_iter().find(|it| it.exists()) {
            add(&mut trusted, load_certs_from_paths(Some(system), None));
        }
    }
    if let Some(file) = file {
        let found = load_certs_from_paths(Some(&file), None);
        named(&mut trusted, "SSL_CERT_FILE", found)?;
    }
    for folder in folders.iter().flat_map(env::split_paths) {
        let found = load_certs_from_paths(None, Some(&folder));
        named(&mut trusted, "SSL_CERT_DIR", found)?;
    }
    if trusted.is_empty() {
        trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(trusted)
}

/// Systems trust some that nobody can read: all others are trusted.
fn add(trusted: &mut RootCertStore, found: CertificateResult) -> usize {
    let (added, _) = trusted.add_parsable_certificates(found.certs);
    added
}

/// Somebody has named a file or folder, and must not find out later that it was none.
fn named(
    trusted: &mut RootCertStore,
    variable: &'static str,
    found: CertificateResult,
) -> Result<(), NoTls> {
    let reason = found.errors.first().map(ToString::to_string);
    if add(trusted, found) == 0
        && let Some(reason) = reason
    {
        return Err(NoTls::Certificates(variable, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

    use super::*;

    const SERVER: &[u8] = include_bytes!("tls/test-server.pem");
    const SERVER_KEY: &[u8] = include_bytes!("tls/test-server-key.pem");

    fn ca() -> OsString {
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/live/workers/http/tls/test-ca.pem"
        )
        .into()
    }

    /// Whether a server with a certificate of the private authority is trusted.
    async fn is_trusted(trusted: RootCertStore) -> bool {
        let certificates =
            CertificateDer::pem_slice_iter(SERVER).map(|it| it.expect("a certificate"));
        let key = PrivateKeyDer::from_pem_slice(SERVER_KEY).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(certificates.collect(), key)
            .expect("a server");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = async {
            let (stream, _) = listener.accept().await.expect("a connection");
            TlsAcceptor::from(Arc::new(config)).accept(stream).await
        };
        let client = async {
            let stream = TcpStream::connect(address).await.expect("a connection");
            let name = ServerName::try_from("localhost").expect("a name");
            let connector = connector(trusted).expect("a connector");
            connector.connect(name, stream).await
        };
        let (_, client) = tokio::join!(server, client);
        client.is_ok()
    }

    #[tokio::test]
    async fn a_private_authority_is_trusted_where_the_environment_names_it() {
        let own = trusted(Some(ca()), None).expect("certificates");
        assert!(is_trusted(own).await);
        let others = trusted(None, None).expect("certificates");
        assert!(!is_trusted(others).await);
    }

    #[test]
    fn a_private_authority_comes_on_top_of_the_others() {
        let others = trusted(None, Some(OsString::new())).expect("certificates");
        let all = trusted(Some(ca()), None).expect("certificates");
        assert!(!others.is_empty());
        let system = OF_SYSTEMS.into_iter().any(|it| Path::new(it).exists());
        assert!(all.len() > usize::from(system), "{}", all.len());
    }

    #[test]
    fn certificates_that_are_named_and_not_there_are_missed() {
        let file = trusted(Some("no-such-file".into()), None).expect_err("no file");
        assert!(file.to_string().contains("SSL_CERT_FILE"), "{file}");
        let folder = trusted(None, Some("no-such-folder".into())).expect_err("no folder");
        assert!(folder.to_string().contains("SSL_CERT_DIR"), "{folder}");
    }
}
