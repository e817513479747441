//! `/docs` and `/openapi.json`: the contract as a page and as a document, from this host alone.

use postern::http::{contract::Auth, operations};

use crate::support::{World, vars};

#[tokio::test]
async fn the_page_lists_every_operation_with_its_fields_and_codes() {
    let page = World::twilio().request("GET", "/docs").without("authorization").send().await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for operation in operations() {
        let title = format!("<code>{} {}</code>", operation.method, operation.path);
        if operation.auth == Auth::Development {
            assert!(!page.text.contains(&title), "{title} is nobody's contract");
            continue;
        }
        let section = page.text.split(&format!("<section id=\"{}\">", operation.id)).nth(1).expect(operation.id);
        let section = section.split("</section>").next().unwrap();
        assert!(section.contains(&title), "{title}");
        for field in operation.query.iter().chain(operation.body.unwrap_or_default()) {
            assert!(section.contains(&format!("<code>{}</code>", field.name)), "{} {}", operation.id, field.name);
        }
        for code in operation.codes() {
            assert!(section.contains(&format!("href=\"#{}\"", code.as_str())), "{} {}", operation.id, code.as_str());
        }
    }
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_run_nothing() {
    let world = World::null();
    world.challenge(&world.number()).await;
    for path in ["/docs", "/", "/dev/inbox"] {
        let page = world.get(path).await;
        let policy = page.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.split("; ").any(|known| known == part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        let text = page.text;
        assert!(!text.contains("<script") && !text.contains("style=") && !text.contains(" onload="), "{path}");
        for attribute in ["src=\"", "href=\"", "action=\""] {
            for value in text.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let own = value.starts_with('/') && !value.starts_with("//");
                assert!(own || value.starts_with('#') || value == "data:,", "{path} loads {value}");
            }
        }
    }
    let styles = world.get("/assets/postern.css").await;
    assert_eq!(styles.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(!styles.text.contains("@import") && !styles.text.contains("http"));
}

#[tokio::test]
async fn the_document_and_the_styles_may_be_kept_and_the_page_says_the_same_to_everybody() {
    let world = World::twilio();
    for path in ["/openapi.json", "/assets/postern.css"] {
        assert_eq!(world.get(path).await.header("cache-control"), Some("public, max-age=300"), "{path}");
    }
    let page = world.get("/docs").await.text;
    assert!(!page.contains("/dev/inbox"), "no way to what is not there");
    for secret in [vars::TOKEN, vars::ACCOUNT, &vars::KEY[8..]] {
        assert!(!page.contains(secret));
    }
}
