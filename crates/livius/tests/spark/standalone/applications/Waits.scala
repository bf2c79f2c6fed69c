package demo

import java.io.File

import org.apache.spark.sql.SparkSession

/** Counts something, says so, and waits for the file that its first argument names. */
object Waits {
  def main(args: Array[String]): Unit = {
    val spark = SparkSession.builder().getOrCreate()
    println("COUNTED " + spark.sparkContext.parallelize(1 to 1000, 2).count() + " FOR " + args.tail.mkString("[", "|", "]"))
    val limit = System.nanoTime + 600L * 1000 * 1000 * 1000
    while (!new File(args.head).exists) {
      if (System.nanoTime > limit) throw new IllegalStateException("nobody came")
      Thread.sleep(50)
    }
    spark.stop()
  }
}

/** Fails, having said why. */
object Fails {
  def main(args: Array[String]): Unit = throw new IllegalStateException("no luck " + args.mkString)
}
