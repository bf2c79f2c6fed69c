package livius.agent

import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** Creates the SparkSession that all interpreters of this driver share. */
object SparkStart {

  def session(conf: SparkConf): SparkSession = {
    val builder = SparkSession.builder().config(conf)
    if (wantsHive(conf)) builder.enableHiveSupport()
    builder.getOrCreate()
  }

  private def wantsHive(conf: SparkConf): Boolean =
    conf.get(Catalog, "in-memory") == "hive" && {
      if (!hasHive) {
        Log.line(s"$Catalog is 'hive', but this Spark has no Hive classes: the catalog is kept in memory")
        conf.set(Catalog, "in-memory")
      }
      hasHive
    }

  private lazy val hasHive: Boolean = HiveClasses.forall { name =>
    try { Class.forName(name, false, Thread.currentThread.getContextClassLoader); true }
    catch { case _: ClassNotFoundException | _: NoClassDefFoundError => false }
  }

  private val Catalog = "spark.sql.catalogImplementation"
  private val HiveClasses = Seq("org.apache.spark.sql.hive.HiveSessionStateBuilder", "org.apache.hadoop.hive.conf.HiveConf")
}
