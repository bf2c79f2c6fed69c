package livius.agent

import java.io.Closeable

import org.apache.spark.api.java.JavaSparkContext
import org.apache.spark.sql.SparkSession

/** One R child's access to this JVM: SparkR's own server. Used by reflection, because it is private
  * to Spark.
  */
final class SparkRBackend(server: AnyRef) extends Closeable {
  private val (listening, authentication) = call("init").asInstanceOf[(Int, AnyRef)]
  Threads.daemon("sparkr-backend")(call("run"))

  def port: Int = listening

  def secret: String = authentication.getClass.getMethod("secret").invoke(authentication).asInstanceOf[String]

  override def close(): Unit = call("close"): Unit

  private def call(method: String): AnyRef = server.getClass.getMethod(method).invoke(server)
}

object SparkRBackend {

  /** None on a Spark that no longer supports R. */
  def start(session: SparkSession): Option[SparkRBackend] = {
    RDriver.share(session)
    try {
      val server = Class.forName("org.apache.spark.api.r.RBackend").getConstructor().newInstance()
      Some(new SparkRBackend(server.asInstanceOf[AnyRef]))
    } catch {
      case _: ClassNotFoundException => None
    }
  }
}

/** The methods that the R child calls. SparkR reaches static methods only, and a JVM has one
  * SparkSession to share.
  */
object RDriver {
  @volatile private var shared: SparkSession = _
  @volatile private var bound: SparkSession = _

  private[agent] def share(session: SparkSession): Unit = shared = session

  /** The SparkSession, for R to bind. */
  def session(): SparkSession = {
    bound = shared
    bound
  }

  def javaSparkContext(): JavaSparkContext = JavaSparkContext.fromSparkContext(shared.sparkContext)

  /** Prepares the thread that serves the child's connection: the Spark jobs that it starts belong
    * to this job group. Returns whether R has to bind the session again, because the driver's code
    * has replaced it.
    */
  def begin(group: String, description: String): Boolean = {
    JobGroup(group, description).enter(shared.sparkContext)
    SparkSession.setActiveSession(shared)
    shared ne bound
  }
}
