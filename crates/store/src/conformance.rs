//! The tests that every store must pass. [`store_conformance!`](crate::store_conformance) makes
//! them for one store.

pub mod batch_retention;
mod batch_samples;
pub mod batches;
pub mod budgets;
pub mod drivers;
pub mod durability;
pub mod job_results;
pub mod job_retention;
pub mod jobs;
pub mod keys;
mod listing;
pub mod outputs;
pub mod resources;
pub mod retention;
pub mod search;
pub mod sessions;
pub mod statements;
pub mod versions;
pub mod webhooks;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{DriverId, SessionId, SessionRecord, SessionRequest, SubmitOptions};

use crate::{NewSession, Start, Store, Unended, Window};

/// The reason why a case failed, or why its store could not be opened.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The result of a case.
pub type Outcome = Result<(), Failure>;

/// A place where a store keeps its rows. It is empty at first.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the store there. A store that was dropped and is opened again has everything that it
    /// had.
    async fn open(&self) -> Result<Arc<dyn Store>, Failure>;
}

/// Makes the suite's tests for one store. `$place` is an expression that makes a new
/// [`Place`](crate::conformance::Place); every test evaluates it once.
#[macro_export]
macro_rules! store_conformance {
    ($place:expr) => {
        $crate::store_conformance! { @stamp $place;
            sessions::a_new_session_is_stored_as_asked_for,
            sessions::numbers_only_grow_and_a_refusal_uses_one_up,
            sessions::a_name_is_unique_among_listed_sessions,
            sessions::names_are_compared_exactly,
            sessions::everything_that_can_change_is_stored,
            sessions::a_change_to_an_unknown_session_is_refused,
            sessions::listed_sessions_are_windowed,
            sessions::a_list_shows_what_is_visible,
            sessions::a_list_is_read_on_while_rows_come_and_go,
            sessions::sessions_are_summed_up,
            sessions::unended_sessions_are_found_listed_or_not,
            sessions::creates_at_once_get_different_numbers,
            sessions::of_creates_at_once_with_one_name_one_wins,
            statements::numbers_count_from_0_in_each_session,
            statements::every_state_and_kind_is_stored,
            statements::an_unknown_row_is_refused_or_absent,
            statements::statements_are_windowed,
            statements::a_window_of_statements_is_bounded_by_their_length,
            statements::unfinished_statements_come_in_order,
            statements::creates_at_once_count_without_a_gap,
            outputs::an_output_stays_until_another_comes,
            outputs::pieces_are_an_output_once_the_statement_is_over,
            outputs::a_piece_again_changes_nothing,
            outputs::a_given_output_takes_the_place_of_pieces,
            outputs::any_text_is_stored,
            outputs::ten_megabytes_of_code_are_stored,
            retention::sessions_go_by_age,
            retention::sessions_go_by_number,
            retention::a_purged_session_leaves_nothing_but_its_number,
            retention::finished_statements_go_oldest_first,
            retention::a_trimmed_number_is_not_given_again,
            budgets::outputs_in_excess_are_named_oldest_first,
            budgets::results_of_jobs_count_too,
            budgets::short_and_unfinished_outputs_do_not_count,
            budgets::pieces_of_an_output_that_was_replaced_are_deleted,
            durability::everything_survives_opening_again,
            durability::a_call_that_is_given_up_is_done_whole_or_not_at_all,
            durability::numbers_go_on_after_opening_again,
            jobs::numbers_of_jobs_count_from_1_in_each_session,
            jobs::every_state_and_language_of_a_job_is_stored,
            jobs::an_unknown_job_is_refused_or_absent,
            jobs::unfinished_jobs_come_in_order,
            jobs::jobs_are_listed_newest_first,
            jobs::jobs_created_at_once_count_without_a_gap,
            jobs::any_text_of_a_job_is_stored,
            job_results::the_bytes_of_a_job_stay_until_it_is_over,
            job_results::a_job_that_failed_has_no_result,
            job_results::a_result_stays_until_another_comes,
            job_results::pieces_are_the_result_of_a_job_that_succeeded,
            job_results::a_piece_of_a_result_again_changes_nothing,
            job_results::a_given_result_takes_the_place_of_pieces,
            job_retention::finished_jobs_go_oldest_first,
            job_retention::a_trimmed_number_of_a_job_is_not_given_again,
            job_retention::jobs_and_resources_go_with_their_session,
            job_retention::jobs_and_resources_survive_opening_again,
            job_retention::numbers_of_jobs_go_on_after_opening_again,
            job_retention::a_job_call_that_is_given_up_is_done_whole_or_not_at_all,
            resources::a_new_resource_is_pending_as_asked_for,
            resources::a_resource_is_pending_until_it_was_dealt_with,
            resources::an_unknown_resource_is_refused_or_absent,
            resources::any_text_of_a_resource_is_stored,
            resources::resources_created_at_once_count_without_a_gap,
            batches::a_new_batch_is_stored_as_asked_for,
            batches::any_text_of_a_batch_is_stored,
            batches::batches_are_counted_apart_and_a_refusal_uses_a_number_up,
            batches::a_name_is_unique_among_listed_batches_that_have_not_ended,
            batches::names_of_batches_are_compared_exactly,
            batches::everything_that_can_change_of_a_batch_is_stored,
            batches::a_change_to_an_unknown_batch_is_refused,
            batches::listed_batches_are_windowed,
            batches::a_list_of_batches_shows_what_is_visible,
            batches::a_list_of_batches_is_read_on_while_rows_come_and_go,
            batches::batches_are_summed_up,
            batches::unended_batches_are_found_listed_or_not,
            batches::batches_created_at_once_get_different_numbers,
            batches::of_batches_created_at_once_with_one_name_one_wins,
            batch_retention::batches_go_by_age,
            batch_retention::batches_go_by_number,
            batch_retention::a_purged_batch_leaves_nothing_but_its_number,
            batch_retention::batches_survive_opening_again,
            batch_retention::a_batch_call_that_is_given_up_is_done_whole_or_not_at_all,
            drivers::a_new_driver_is_stored_as_it_is,
            drivers::everything_that_can_change_of_a_driver_is_stored,
            drivers::a_session_takes_a_driver_of_a_pool,
            drivers::an_unknown_driver_is_refused_or_absent,
            drivers::drivers_that_have_not_ended_are_claimed,
            drivers::every_name_of_a_driver_is_found,
            drivers::a_driver_that_nothing_needs_is_found,
            drivers::a_server_claims_what_is_free,
            drivers::a_driver_that_changes_hands_has_another_version,
            drivers::a_claim_may_leave_out_own_drivers_and_other_programs,
            drivers::leases_are_renewed,
            drivers::of_claims_at_once_one_wins_each_driver,
            drivers::any_text_of_a_driver_is_stored,
            drivers::drivers_survive_opening_again,
            keys::a_key_is_stored_with_what_it_makes,
            keys::a_taken_key_makes_nothing,
            keys::a_refused_session_leaves_its_key_free,
            keys::of_creates_at_once_with_one_key_one_wins,
            keys::the_first_answer_is_kept,
            keys::a_freed_key_is_free,
            keys::a_withdrawn_session_or_batch_frees_its_key,
            keys::answers_go_with_their_session_and_keys_stay,
            keys::keys_go_by_age_and_by_number,
            keys::many_keys_go,
            keys::answers_in_excess_go_oldest_first,
            keys::any_text_of_a_key_is_stored,
            search::a_search_finds_states,
            search::a_search_finds_what_all_filters_name,
            search::a_search_finds_kinds_of_sessions,
            search::a_search_finds_what_a_key_made,
            search::a_search_is_read_on_while_rows_come_and_go,
            search::a_search_is_bounded_by_the_length_of_rows,
            versions::a_stale_update_of_a_session_is_a_conflict,
            versions::a_stale_update_of_a_batch_is_a_conflict,
            versions::a_stale_update_of_a_statement_is_a_conflict,
            versions::a_stale_update_of_a_job_is_a_conflict,
            versions::a_stale_update_of_a_resource_is_a_conflict,
            versions::a_stale_update_of_a_driver_is_a_conflict,
            webhooks::an_end_becomes_a_delivery,
            webhooks::a_statement_tells_whether_its_code_failed,
            webhooks::an_end_that_is_refused_is_no_delivery,
            webhooks::a_request_that_is_refused_asks_for_nothing,
            webhooks::a_delivery_waits_for_its_next_attempt,
            webhooks::due_deliveries_come_in_order_and_few_at_a_time,
            webhooks::deliveries_outlive_what_they_tell_of,
            webhooks::any_text_of_a_delivery_is_stored,
        }
    };
    (@stamp $place:expr; $($module:ident::$case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() -> $crate::conformance::Outcome {
                let place = $place;
                $crate::conformance::$module::$case(&place).await
            }
        )+
    };
}

/// All rows, oldest first.
const ALL: Window = Window {
    start: Start::Offset(0),
    limit: u64::MAX,
    descending: false,
};

/// Windows over `0..len` with the numbers that they show: at the edges, beyond them, in both
/// directions.
fn windows(len: i32) -> Vec<(Window, Vec<i32>)> {
    let far = [
        0,
        1,
        2,
        4,
        5,
        6,
        u64::from(u32::MAX),
        i64::MAX.unsigned_abs(),
        u64::MAX,
    ];
    let each = far
        .iter()
        .flat_map(|offset| far.iter().map(move |limit| (*offset, *limit)));
    each.flat_map(|(offset, limit)| {
        [false, true].map(|descending| {
            let window = Window {
                start: Start::Offset(offset),
                limit,
                descending,
            };
            (offset, window)
        })
    })
    .map(|(offset, window)| {
        let up: Vec<i32> = if window.descending {
            (0..len).rev().collect()
        } else {
            (0..len).collect()
        };
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        (
            window,
            up.into_iter()
                .skip(size(offset))
                .take(size(window.limit))
                .collect(),
        )
    })
    .collect()
}

/// Texts that stores often damage.
const TEXTS: [&str; 11] = [
    "",
    " \t\r\n ",
    "a\u{0}b\u{0}",
    "\u{0}",
    "'; DROP TABLE statements; --",
    "\\ \" ` $1 ?1 :a @b {} %s",
    "🤔👩‍👩‍👧 e\u{301} \u{202e}rtl\u{2028}\u{feff}\u{fffd}\u{10ffff}",
    "\u{1b}[31m\u{7}\u{7f}\u{85}",
    "null",
    "007",
    "1e3",
];

/// The last lines of a log: each has one of the difficult texts.
fn lines() -> Vec<String> {
    TEXTS.map(str::to_owned).into()
}

fn at(second: i64) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_microsecond(
        1_795_247_535_634_217 + second * 1_000_000,
    )?)
}

fn unnamed() -> Result<NewSession, Failure> {
    Ok(NewSession {
        request: SessionRequest::default(),
        owner: None,
        proxy_user: None,
        created_at: at(0)?,
        key: None,
        webhook: None,
    })
}

fn named(name: &str) -> Result<NewSession, Failure> {
    let request = SessionRequest {
        submit: SubmitOptions {
            name: Some(name.to_owned()),
            ..SubmitOptions::default()
        },
        ..SessionRequest::default()
    };
    Ok(NewSession {
        request,
        ..unnamed()?
    })
}

fn driver_of(session: SessionId) -> DriverId {
    DriverId::for_session(session, [1, 2, 3, 4, 5, 6])
}

/// Spark options with all fields set, and with texts that stores often damage.
fn full_submit() -> SubmitOptions {
    let texts = |prefix: &str| vec![format!("{prefix}/a.x"), format!("{prefix}/ü b.x")];
    let text = |text: &str| Some(text.to_owned());
    SubmitOptions {
        proxy_user: text("bob"),
        jars: texts("hdfs:/j"),
        py_files: texts("p"),
        files: texts("f"),
        archives: texts("a"),
        driver_memory: text("2g"),
        driver_cores: Some(u32::MAX),
        executor_memory: text("1g"),
        executor_cores: Some(1),
        num_executors: Some(0),
        queue: text("root.default"),
        name: text("nightly 🌙"),
        conf: [("spark.x", "1"), ("spark.quote'\"", "a\nb\u{0}c"), ("", "")]
            .map(|(k, v)| (k.into(), v.into()))
            .into(),
    }
}

/// The answer of `unended_*` for records that are listed.
fn all_listed<R>(records: impl IntoIterator<Item = R>) -> Vec<Unended<R>> {
    let listed = true;
    let records = records.into_iter();
    records.map(|record| Unended { record, listed }).collect()
}

/// A session that has ended.
async fn ended(store: &dyn Store, new: NewSession, second: i64) -> Result<SessionRecord, Failure> {
    let mut record = store.create_session(new).await?;
    record.state = livius_domain::SessionState::Ended(livius_domain::End {
        outcome: livius_domain::Outcome::Stopped,
        cause: Some(livius_domain::StopCause::User),
        failure: None,
        exit: Some(livius_domain::Exit::Code(0)),
    });
    record.ended_at = Some(at(second)?);
    store.update_session(&mut record).await?;
    Ok(record)
}
