package livius.agent

import java.lang.management.ManagementFactory
import java.util.UUID

/** The facts about its process that the agent sends when it connects. */
final case class DriverFacts(instance: String, pid: Long, spark: String, scala: String, java: String)

object DriverFacts {

  def gather(): DriverFacts = DriverFacts(
    instance = UUID.randomUUID.toString,
    pid = pid,
    spark = org.apache.spark.SPARK_VERSION,
    scala = _root_.scala.util.Properties.versionNumberString,
    java = System.getProperty("java.version"))

  // "pid@host" on every JVM that Spark runs on; ProcessHandle does not exist on Java 8.
  private def pid: Long = {
    val name = ManagementFactory.getRuntimeMXBean.getName.takeWhile(_ != '@')
    if (name.nonEmpty && name.forall(_.isDigit)) name.toLong else 0L
  }
}
