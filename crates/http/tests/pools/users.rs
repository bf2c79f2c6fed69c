//! A driver of one user never serves another.

use axum::body::Body;
use axum::http::Request;
use livius_domain::pool::Level;
use livius_http::AuthenticatedUser;
use livius_sessions::{Action, Caller, Impersonation, Policy, Subject, Visible};
use std::sync::Arc;

use super::*;

/// Everyone may do everything. Users whose name ends with a `t` are testers.
#[derive(Debug)]
struct Groups;

impl Policy for Groups {
    fn allows(&self, _: &Caller, _: Action, _: Subject<'_>) -> bool {
        true
    }

    fn visible<'a>(&self, _: &'a Caller) -> Visible<'a> {
        Visible::All
    }

    fn is_member(&self, caller: &Caller, group: &str) -> bool {
        group == "testers"
            && caller
                .user
                .as_deref()
                .is_some_and(|user| user.ends_with('t'))
    }
}

/// Posts a session as a user, and answers its number.
async fn post_as(world: &World, user: &str, body: &str) -> SessionId {
    let request = Request::post("/sessions").header("content-type", "application/json");
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    request
        .extensions_mut()
        .insert(AuthenticatedUser(user.to_owned()));
    let answer = world.send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let id = answer.json()["id"].as_i64().unwrap();
    SessionId(id.try_into().unwrap())
}

#[tokio::test]
async fn with_impersonation_a_driver_serves_its_own_user_only() {
    let of_ann = Template {
        user: Some("ann".to_owned()),
        ..template("ann", Level::Primed)
    };
    let world = World::with(WorldOptions {
        impersonation: Impersonation {
            enabled: true,
            superusers: vec![],
        },
        ..options(vec![of_ann])
    })
    .await;
    let mut agent = waiting(&world, Level::Primed, &[]).await;
    assert_eq!(
        world.launcher().of_pools()[0].0.proxy_user.as_deref(),
        Some("ann")
    );
    let bob = post_as(&world, "bob", ANY).await;
    let miss = start_of(&world, bob).await["misses"][0].clone();
    assert_eq!(
        (&miss["key"], &miss["wanted"], &miss["had"]),
        (&"proxyUser".into(), &"bob".into(), &"ann".into())
    );
    let ann = post_as(&world, "ann", ANY).await;
    assert!(matches!(agent.command().await, Command::Begin { .. }));
    assert_eq!(start_of(&world, ann).await["outcome"], "hit");
}

#[tokio::test]
async fn the_default_pool_is_for_the_user_of_the_last_session() {
    let world = world_of(Vec::new()).await;
    let first = post_as(&world, "ann", ANY).await;
    ScriptedAgent::connect(&world, first).await.ready().await;
    let _agent = waiting(&world, Level::Primed, &[]).await;
    let bob = post_as(&world, "bob", ANY).await;
    let miss = start_of(&world, bob).await["misses"][0].clone();
    assert_eq!(
        (&miss["reason"], &miss["key"]),
        (&"differs".into(), &"owner".into())
    );
}

#[tokio::test]
async fn a_pool_serves_the_users_and_groups_that_it_names() {
    let named = Template {
        users: vec!["ann".to_owned()],
        groups: vec!["testers".to_owned()],
        min: 2,
        max: 2,
        ..template("small", Level::Primed)
    };
    let world = World::with(WorldOptions {
        policy: Some(Arc::new(Groups)),
        ..options(vec![named])
    })
    .await;
    let first = waiting(&world, Level::Primed, &[]).await;
    let second = waiting(&world, Level::Primed, &[&first]).await;
    let bob = post_as(&world, "bob", ANY).await;
    assert_eq!(
        start_of(&world, bob).await["misses"][0]["reason"],
        "not_allowed"
    );
    for user in ["ann", "kurt"] {
        let session = post_as(&world, user, ANY).await;
        assert_eq!(start_of(&world, session).await["outcome"], "hit", "{user}");
    }
    drop((first, second));
}
