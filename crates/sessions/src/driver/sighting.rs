//! The Spark application, as the driver and its resource manager describe it.

use livius_domain::{AppInfo, chain};
use livius_launch::Sighting;

use super::actor::DriverActor;

impl DriverActor {
    /// Stores what the resource manager tells.
    pub(super) async fn on_sighting(&mut self, sighting: Box<Sighting>) {
        let waited = self.sighting.as_ref().and_then(|last| last.waits.as_ref());
        if sighting.waits.as_ref() != waited
            && let Some(why) = &sighting.waits
        {
            self.tell_wait(&sighting.app.app_id, why).await;
        }
        self.sighting = Some(sighting);
        let known = self.record.app.take();
        self.take_app(known);
        if let Err(error) = self.store_now().await {
            tracing::error!(driver.id = %self.record.id, error = %chain(&error), "cannot store what the resource manager tells of the application");
        }
    }

    /// Takes the driver's own description. The resource manager's counts more.
    pub(super) fn take_app(&mut self, told: Option<AppInfo>) {
        self.record.app = match self.sighting.as_deref() {
            Some(sighting) => Some(both(&sighting.app, told)),
            None => told,
        };
        self.unstored = true;
    }

    /// A user who waits for a session looks into its log.
    async fn tell_wait(&mut self, app: &str, why: &str) {
        tracing::info!(driver.id = %self.record.id, app.id = app, why, "the application waits");
        let text = format!("livius: {app} waits: {why}\n");
        if let Err(error) = self.handle.files.explain(self.record.program, &text).await {
            tracing::warn!(driver.id = %self.record.id, %error, "cannot write to the driver's log");
        }
    }
}

/// The resource manager's word, with what only the driver tells.
fn both(sighted: &AppInfo, told: Option<AppInfo>) -> AppInfo {
    let (ui, log) = told.map_or((None, None), |told| {
        (told.spark_ui_url, told.driver_log_url)
    });
    AppInfo {
        app_id: sighted.app_id.clone(),
        spark_ui_url: sighted.spark_ui_url.clone().or(ui),
        driver_log_url: sighted.driver_log_url.clone().or(log),
    }
}
