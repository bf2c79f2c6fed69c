package livius.agent

import java.io.File
import java.lang.management.ManagementFactory

import org.apache.spark.livius.UserJars

/** The Spark configuration of a session that gets a JVM which runs already.
  *
  * Spark reads its configuration from the system properties, where spark-submit has put that of the
  * launch. This does for the session's configuration what spark-submit would have done.
  */
object SessionConf {

  private val Prefix = "spark."

  /** Properties that spark-submit makes itself. */
  private val OfSubmit = Set("spark.submit.deployMode", "spark.master", "spark.app.submitTime")

  /** Properties that spark-submit sets even if they are empty. */
  private val Lists = Set("spark.jars", "spark.submit.pyFiles")

  /** Replaces the configuration of the launch, as spark-submit leaves it. For the main thread. */
  def replace(conf: Map[String, String]): Unit = {
    val keys = Javas.list(System.getProperties.stringPropertyNames).filter(_.startsWith(Prefix))
    keys.filterNot(key => OfSubmit(key) || isFlag(key)).foreach(System.clearProperty)
    keys.filter(Lists).foreach(System.setProperty(_, ""))
    System.setProperty("spark.app.submitTime", System.currentTimeMillis.toString)
    // As for spark-submit, a key without the prefix has no meaning.
    conf.filter(_._1.startsWith(Prefix)).foreach { case (key, value) => System.setProperty(key, value) }
    conf.get("spark.jars").foreach(_.split(',').map(_.trim).filter(_.nonEmpty).foreach(addJar))
  }

  private lazy val flags = Javas.list(ManagementFactory.getRuntimeMXBean.getInputArguments)

  /** Whether a flag of the JVM sets it, which is there to stay. */
  private def isFlag(key: String): Boolean = flags.exists(flag => flag == s"-D$key" || flag.startsWith(s"-D$key="))

  // spark-submit copies jars from elsewhere to this machine. Here Spark gives them to executors only.
  private def addJar(text: String): Unit = {
    val uri = FileUris.of(text)
    if (uri.getScheme == "file" || uri.getScheme == "local") UserJars.add(new File(uri.getPath))
    else Log.line(s"the jar $text is not on the driver's class path, because the driver was started before its session")
  }
}
