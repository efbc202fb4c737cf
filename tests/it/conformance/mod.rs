//! The plans of the OpenID Foundation's conformance suite, module by module, against the real program over https as
//! `deploy/conformance/prepare` sets it up. A test is a module and has its name (`oidcc-` and the plan left out); what the
//! suite only warns of fails here. Modules that need dynamic registration are not in the plans of static clients.

mod backchannel;
mod basic;
mod checks;
mod config;
mod frontchannel;
mod module;
mod pages;
mod requirements;
mod robot;
mod rp_initiated;
mod suite;

use serde_json::Value;

use self::suite::Suite;

/// The files of `deploy/conformance/` fit together: each configuration names clients that are imported, with their
/// secrets, and each secret is another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configurations_name_what_is_imported() {
    let suite = Suite::get().await;
    let import = suite.import();
    let clients = import["client"].as_array().expect("clients");
    let mut secrets = std::collections::BTreeSet::new();
    for client in clients {
        let secret = client["client_secret"].as_str().expect("a secret");
        assert!(secret.len() == 48 && secrets.insert(secret), "{client}");
    }
    for name in ["basic", "formpost", "config", "rp-initiated", "backchannel", "frontchannel"] {
        let configuration = suite.configuration(name);
        assert_eq!(
            configuration["server"]["discoveryUrl"],
            format!("{}/.well-known/openid-configuration", suite.issuer)
        );
        let alias = configuration["alias"].as_str().expect("an alias");
        for part in ["client", "client2", "client_secret_post"].map(|part| &configuration[part]) {
            let Some(id) = part["client_id"].as_str() else { continue };
            let known = clients.iter().find(|client| client["client_id"].as_str() == Some(id));
            let known = known.unwrap_or_else(|| panic!("{name}: {id} is not imported"));
            assert_eq!(part["client_secret"], known["client_secret"].as_str().expect("a secret"), "{name}: {id}");
            assert_eq!(
                known["redirect_uris"][0].as_str(),
                Some(&*format!("{}/test/a/{alias}/callback", suite.address))
            );
        }
        assert!(configuration["browser"].as_array().is_some_and(|entries| !entries.is_empty()), "{name}");
        assert_ne!(configuration["client"]["client_id"], Value::Null, "{name}");
        // Its page goes on after two seconds, if the browser is still there.
        let waits = configuration["browser"].to_string().contains(r#"["wait","contains","/post_logout_redirect",20]"#);
        assert_eq!(waits, name == "frontchannel", "{name}");
    }
}
