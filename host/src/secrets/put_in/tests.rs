//! What is put into payloads, and what is refused.

use super::*;

struct Known(&'static [(&'static str, &'static str, &'static str)]);

impl Secrets for Known {
    fn secret(&self, tenant: &str, name: &str) -> Result<Option<String>, WorkError> {
        let is_it = |(of, named, _): &&(&str, &str, &str)| (*of, *named) == (tenant, name);
        Ok(self
            .0
            .iter()
            .find(is_it)
            .map(|(_, _, value)| (*value).to_owned()))
    }
}

fn secrets() -> Vec<Box<dyn Secrets>> {
    let first = Known(&[
        ("acme", "KEY", "k e\"y"),
        ("acme", "EMPTY", ""),
        ("acme", "PIN", "471"),
    ]);
    let second = Known(&[
        ("acme", "KEY", "shadowed"),
        ("acme", "PW", "p@ss"),
        ("acme", "TOKEN", "TOKEN"),
        ("other", "OTHERS", "others"),
    ]);
    vec![Box::new(first), Box::new(second)]
}

fn item(kind: &str, templates: &str) -> WorkItem {
    WorkItem {
        execution_id: "exec_1".to_owned(),
        tenant: "acme".to_owned(),
        payload: format!(
            r#"{{"node_id":"a","kind":{kind},"input":{{"say":"${{secret.KEY}}"}}{templates}}}"#
        ),
        ..WorkItem::default()
    }
}

#[test]
fn r29_only_the_texts_that_are_listed_are_filled() {
    let kind = r#"{"type":"http","url":"http://${secret.PW}:80/${secret.KEY}","headers":{"A":"Bearer ${secret.KEY}","B":"${secret.KEY}"},"body":[1.50,"$${execution_id} ${execution_id}"]}"#;
    let list = r#","templates":["/kind/url","/kind/headers/A","/kind/body/1"]"#;
    let mut item = item(kind, list);
    #[cfg(feature = "http")]
    assert!(!is_put_in(&item));
    let masks = put_in(&mut item, &secrets()).expect("all are known");
    #[cfg(feature = "http")]
    assert!(is_put_in(&item));
    assert_eq!(
        item.payload,
        r#"{"node_id":"a","kind":{"type":"http","url":"http://p%40ss:80/k%20e%22y","headers":{"A":"Bearer k e\"y","B":"${secret.KEY}"},"body":[1.50,"${execution_id} exec_1"]},"input":{"say":"${secret.KEY}"}}"#
    );
    let said = r#"p@ss p%40ss k e"y k e\"y k%20e%22y shadowed"#;
    assert_eq!(
        masks.hide(said),
        "***PW*** ***PW*** ***KEY*** ***KEY*** ***KEY*** shadowed"
    );
}

#[test]
fn r29_an_item_without_templates_stays_as_it_is() {
    for list in ["", r#","templates":[]"#] {
        let before = item(r#"{"type":"tool","x":"${secret.KEY} \"templates\""}"#, list);
        let mut after = before.clone();
        assert!(
            put_in(&mut after, &secrets())
                .expect("there is nothing to do")
                .is_empty()
        );
        assert_eq!(after, before);
    }
}

#[test]
fn r29_what_cannot_be_put_in_fails_for_good() {
    let key = |name: &str| format!(r#"{{"x":"${{secret.{name}}}"}}"#);
    for (kind, pointer, class, told) in [
        (
            key("NONE"),
            "/kind/x",
            Some("unknown_secret"),
            "no secret NONE",
        ),
        (
            key("OTHERS"),
            "/kind/x",
            Some("unknown_secret"),
            "no secret OTHERS",
        ),
        (
            key("EMPTY"),
            "/kind/x",
            Some("unusable_secret"),
            "EMPTY is empty",
        ),
        (
            key("PIN"),
            "/kind/x",
            Some("unusable_secret"),
            "fewer than 4",
        ),
        (
            key("TOKEN"),
            "/kind/x",
            Some("unusable_secret"),
            "another name",
        ),
        (key("KEY"), "/kind/y", None, "no such text"),
        (key("KEY"), "/input/say", None, "no such text"),
        (key("A-B"), "/kind/x", None, "no template"),
    ] {
        let list = format!(r#","templates":["{pointer}"]"#);
        let mut item = item(&kind, &list);
        let error = put_in(&mut item, &secrets()).expect_err(told);
        assert!(error.message.contains(told), "{}", error.message);
        assert!(!error.message.contains("471"), "{}", error.message);
        assert_eq!((error.retryable, error.class.as_deref()), (false, class));
    }
}
