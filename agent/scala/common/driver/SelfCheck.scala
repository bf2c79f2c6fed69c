package livius.agent

import org.apache.spark.sql.SparkSession

/** Proves that this Spark runs on this Java: `livius setup` and `livius doctor` start it and look
  * for its last line.
  */
object SelfCheck {

  def main(args: Array[String]): Unit = {
    val spark = SparkSession.builder().master("local[1]").appName("livius-self-check").getOrCreate()
    val counted =
      try spark.range(1000).selectExpr("id % 10 AS digit").groupBy("digit").count().count()
      finally spark.stop()
    require(counted == 10, s"Spark counted $counted groups instead of 10")
    println(s"livius-self-check ok ${org.apache.spark.SPARK_VERSION}")
  }
}
