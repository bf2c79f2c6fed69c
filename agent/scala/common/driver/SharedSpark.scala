package livius.agent

import scala.concurrent.{Await, Promise}
import scala.concurrent.duration.Duration

import org.apache.spark.sql.SparkSession

/** The SparkSession that all sessions of this driver share, once there is one. The user's code may
  * replace it, so no part may keep it from one statement to the next.
  */
final class SharedSpark {

  private val first = Promise[Unit]()
  @volatile private var session: Option[SparkSession] = None

  /** Open once there is one. */
  val isThere = new Gate

  def set(spark: SparkSession): Unit = {
    session = Some(spark)
    first.trySuccess(())
    isThere.open()
  }

  /** The SparkSession; waits until there is one. */
  def await: SparkSession = {
    Await.result(first.future, Duration.Inf)
    session.get
  }

  def now: Option[SparkSession] = session

  /** Tells whether its SparkContext has stopped. */
  def isStopped: Boolean = session.exists(_.sparkContext.isStopped)
}
