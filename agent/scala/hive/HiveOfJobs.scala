package livius.agent

import org.apache.livy.HiveJobContext
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.hive.HiveContext

/** The part of a job's context that needs Spark's Hive classes. */
trait HiveOfJobs extends HiveJobContext {

  protected def session: SparkSession

  // The same SparkSession under an older name: Spark finds the existing one.
  private lazy val context = new HiveContext(session.sparkContext)

  override def hivectx(): HiveContext =
    if (session.sparkContext.getConf.get("spark.sql.catalogImplementation", "in-memory") == "hive") context else null
}
