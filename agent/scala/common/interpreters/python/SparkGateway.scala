package livius.agent

import java.io.Closeable
import java.net.InetAddress

import org.apache.spark.SparkFiles
import org.apache.spark.api.java.JavaSparkContext
import org.apache.spark.sql.SparkSession
import py4j.ClientServer

/** One Python child's access to this JVM. Each thread of the child has its own thread here. */
final class SparkGateway(session: () => SparkSession, groups: JobGroups) extends Closeable {

  val secret: String = Secrets.hex(32)

  private val server = new ClientServer.ClientServerBuilder(new PythonDriver(session, groups))
    .authToken(secret)
    .javaAddress(InetAddress.getByName("127.0.0.1"))
    .javaPort(0)
    .build()
  // Python's threads have theirs here, also those that run jobs.
  StandardOut.elsewhere(server.startServer())

  def port: Int = server.getJavaServer.getListeningPort

  override def close(): Unit = server.shutdown()
}

/** The methods that the Python child calls. Public because py4j finds them by reflection. */
final class PythonDriver(shared: () => SparkSession, groups: JobGroups) {

  def session(): SparkSession = shared()

  /** The folder of the files that the session's request names. Waits for the SparkContext. */
  def directory(): String = {
    shared()
    SparkFiles.getRootDirectory()
  }

  def javaSparkContext(): JavaSparkContext = JavaSparkContext.fromSparkContext(session().sparkContext)

  /** Prepares the thread that serves the child's main thread. It is a new one after a broken
    * connection. Returns the application's id: another one than before means that the session's
    * code has replaced the SparkContext.
    */
  def begin(statement: Int): String = begin(groups.statement(statement))

  /** As `begin`, for the child's thread that runs a job. */
  def beginJob(job: Int, group: String): String = begin(groups.job(job).copy(name = group))

  /** As `begin`, for code that belongs to no statement. */
  def beginRehearsal(): String = begin(Rehearsal.Group)

  private def begin(group: JobGroup): String = {
    val current = session()
    group.enter(current.sparkContext)
    SparkSession.setActiveSession(current)
    current.sparkContext.applicationId
  }
}
