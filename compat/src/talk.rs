//! Runs a sequence of steps. Each step can use values of earlier responses.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::answer::Answer;
use crate::exchange::Request;
use crate::expectation::Expectation;
use crate::report::{Difference, Exchange, Verdict};
use crate::request::request;
use crate::scenario::Scenario;
use crate::step::{Step, Until};
use crate::target::Target;
use crate::variables::{Variables, filled, filled_text};

/// The polling interval.
const PAUSE: Duration = Duration::from_millis(100);

/// One sequence of steps.
pub struct Talk<'a> {
    target: &'a Target,
    /// The variables so far.
    pub variables: Variables,
    /// The last response of each step.
    pub exchanges: Vec<Exchange>,
}

/// The first difference, if there is one.
pub type Ready = Result<(), Box<Difference>>;

impl<'a> Talk<'a> {
    /// Starts a sequence.
    pub fn new(target: &'a Target, variables: Variables) -> Self {
        Self {
            target,
            variables,
            exchanges: Vec::new(),
        }
    }

    /// Runs a scenario.
    pub fn verdict(&mut self, scenario: &Scenario) -> Verdict {
        let result = self.all(&scenario.steps);
        self.clean_up(&scenario.cleanup);
        match result {
            Ok(()) => Verdict::Passed,
            Err(difference) => Verdict::Differs(difference),
        }
    }

    /// Runs steps until one fails.
    pub fn all(&mut self, steps: &[Step]) -> Ready {
        steps.iter().try_for_each(|step| self.step(step))
    }

    /// Sends every step that can be sent, and ignores the responses.
    pub fn clean_up(&mut self, steps: &[Step]) {
        for step in steps {
            let request = request(step, &self.variables);
            if !request.target.contains("${") {
                // A server that is down has nothing to clean up.
                let _ = self.target.ask(request);
            }
        }
    }

    fn step(&mut self, step: &Step) -> Ready {
        let request = request(step, &self.variables);
        let expected = step
            .expected_of(self.target.kind, self.target.version)
            .filled(&self.variables);
        let differs = |actual: String, problems: Vec<String>| {
            Box::new(Difference {
                step: filled_text(&step.send, &self.variables),
                request: shown_request(&request, self.target.host()),
                expected: shown_expectation(&expected),
                actual,
                problems,
            })
        };
        let (answer, mut problems) = match self.ask(step, &request, expected.status.is_some()) {
            Ok(done) => done,
            Err(problem) => return Err(differs("no answer".to_owned(), vec![problem])),
        };
        // A missing response needs no further comparison.
        if problems.is_empty() {
            problems = expected.problems(&answer);
        }
        let captured = captured(step, &answer, &mut problems);
        let difference = (!problems.is_empty()).then(|| differs(shown_answer(&answer), problems));
        self.variables.extend(captured);
        self.exchanges.push(Exchange {
            request: format!("{} {}", request.method, request.target),
            answer,
            captured: self.variables.clone(),
        });
        difference.map_or(Ok(()), Err)
    }

    /// The response, with a difference if it timed out.
    fn ask(
        &self,
        step: &Step,
        request: &Request,
        expects_status: bool,
    ) -> Result<(Answer, Vec<String>), String> {
        let begun = Instant::now();
        let patience = self.target.patience;
        loop {
            let answer = self
                .target
                .ask(request.clone())
                .map_err(|error| with_causes(&error))?;
            let Some(until) = &step.until else {
                return Ok((answer, Vec::new()));
            };
            let state = Waited::of(&self.filled_until(until), &answer);
            let problem = match state {
                Waited::Come => return Ok((answer, Vec::new())),
                // The comparison decides later whether this was expected.
                Waited::Refused if expects_status => return Ok((answer, Vec::new())),
                Waited::Refused => format!("the status is {}", answer.status),
                Waited::Hopeless(value) => format!("{} is {value}", until.at),
                Waited::NotYet if begun.elapsed() < patience => {
                    thread::sleep(PAUSE);
                    continue;
                }
                Waited::NotYet => format!(
                    "it did not come within {} s; --patience sets a longer timeout",
                    patience.as_secs()
                ),
            };
            return Ok((answer, vec![problem]));
        }
    }

    fn filled_until(&self, until: &Until) -> Until {
        let all = |values: &[Value]| {
            let values = values.iter();
            values.map(|value| filled(value, &self.variables)).collect()
        };
        Until {
            is: all(&until.is),
            not: all(&until.not),
            ..until.clone()
        }
    }
}

enum Waited {
    Come,
    NotYet,
    Hopeless(Value),
    /// A permanent refusal.
    Refused,
}

impl Waited {
    fn of(until: &Until, answer: &Answer) -> Self {
        if let Some(status) = until.status {
            return if answer.status == status {
                Self::Come
            } else {
                Self::NotYet
            };
        }
        let json = answer.json().unwrap_or_default();
        match json.pointer(&until.at) {
            Some(value) if until.is.contains(value) => Self::Come,
            Some(value) if until.not.contains(value) => Self::Hopeless(value.clone()),
            None if answer.status >= 400 => Self::Refused,
            _ => Self::NotYet,
        }
    }
}

fn captured(step: &Step, answer: &Answer, problems: &mut Vec<String>) -> Variables {
    let json = answer.json().unwrap_or_default();
    let mut captured = Variables::new();
    for (name, at) in &step.capture {
        let optional = name.strip_suffix('?');
        match json.pointer(at) {
            Some(value) => {
                captured.insert(optional.unwrap_or(name).to_owned(), value.clone());
            }
            None if optional.is_some() => {}
            None => problems.push(format!("there is no {at} to keep as {name}")),
        }
    }
    captured
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn shown_request(request: &Request, host: &str) -> String {
    /// A reader needs no more of a padding.
    const LONGEST: usize = 4_000;
    let body = match str::from_utf8(&request.body) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("({} bytes that are no text)", request.body.len()),
    };
    let text = format!("{}{body}", request.head(host).replace("\r\n", "\n"));
    text.chars().take(LONGEST).collect()
}

fn shown_expectation(expected: &Expectation) -> String {
    serde_json::to_string_pretty(expected).unwrap_or_default()
}

fn shown_answer(answer: &Answer) -> String {
    let mut lines = vec![answer.status.to_string()];
    let headers = answer.headers.iter();
    lines.extend(headers.map(|(name, value)| format!("{name}: {value}")));
    lines.push(String::new());
    lines.push(match answer.json() {
        Some(json) => serde_json::to_string_pretty(&json).unwrap_or_default(),
        None => answer.text.clone(),
    });
    lines.join("\n")
}
