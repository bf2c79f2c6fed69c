package demo

import org.apache.spark.sql.SparkSession

/** Tells its arguments, each as the hexadecimal digits of its bytes, and counts something. */
object Tells {
  def main(args: Array[String]): Unit = {
    args.foreach(arg => println("ARG " + arg.getBytes("UTF-8").map(byte => f"$byte%02x").mkString))
    val spark = SparkSession.builder().getOrCreate()
    println("APPLICATION " + spark.sparkContext.applicationId)
    println("COUNT " + spark.sparkContext.parallelize(1 to 1000, 2).count())
    System.err.println("on the other descriptor")
    spark.stop()
  }
}

object Throws {
  def main(args: Array[String]): Unit = throw new IllegalStateException("no luck " + args.mkString)
}

object Exits {
  def main(args: Array[String]): Unit = {
    SparkSession.builder().getOrCreate()
    System.exit(7)
  }
}
