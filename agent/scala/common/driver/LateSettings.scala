package livius.agent

import scala.util.Failure

import org.apache.spark.sql.SparkSession

/** The SQL settings of a session that gets a driver which is ready: all of them, or none. */
final class LateSettings {

  private var done = false

  /** Applies them, unless earlier ones were: commands may arrive twice. Returns the reason if one of
    * them cannot be applied.
    *
    * @param session the driver's SparkSession, if it is ready
    */
  def take(session: Option[SparkSession], settings: Map[String, String]): Option[String] = synchronized {
    session match {
      case None => Some("the driver is not ready")
      case Some(_) if done => None
      case Some(ready) =>
        val refused = apply(ready, settings)
        done = refused.isEmpty
        refused
    }
  }

  private def apply(session: SparkSession, settings: Map[String, String]): Option[String] = {
    val before = session.conf.getAll
    settings.keys.toSeq.sorted.iterator.map(key => key -> Attempt(session.conf.set(key, settings(key)))).collectFirst {
      case (key, Failure(error)) =>
        settings.keys.foreach(restore(session, before, _))
        s"$key cannot be set: ${StackTraces.message(error)}"
    }
  }

  private def restore(session: SparkSession, before: Map[String, String], key: String): Unit =
    // It fails for a setting that cannot be changed, and has not been.
    Attempt(before.get(key).fold(session.conf.unset(key))(session.conf.set(key, _))): Unit
}
