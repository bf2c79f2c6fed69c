package livius.agent

import scala.concurrent.{Await, Promise}
import scala.concurrent.duration.Duration

import org.apache.spark.sql.SparkSession

/** The SparkSession that all sessions of this driver share, once there is one. */
final class SharedSpark {

  private val session = Promise[SparkSession]()

  /** Open once there is one. */
  val isThere = new Gate

  def set(spark: SparkSession): Unit = {
    session.success(spark)
    isThere.open()
  }

  /** The SparkSession; waits until there is one. */
  def await: SparkSession = Await.result(session.future, Duration.Inf)

  def now: Option[SparkSession] = session.future.value.flatMap(_.toOption)
}
