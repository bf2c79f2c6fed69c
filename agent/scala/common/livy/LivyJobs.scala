package org.apache.livy

import java.io.File
import java.util.NoSuchElementException

import org.apache.spark.api.java.JavaSparkContext
import org.apache.spark.sql.SQLContext
import org.apache.spark.streaming.api.java.JavaStreamingContext

/** A piece of work for the driver, as the clients of Apache Livy define it. Users' classes are
  * compiled against Livy's own interface: name and signatures are Livy's, and there is nothing in
  * here that has a body.
  */
trait Job[T] extends java.io.Serializable {
  @throws[Exception]
  def call(jc: JobContext): T
}

/** A job's access to the driver. The method for Hive is in the parent trait, because not every
  * Spark has the class.
  */
trait JobContext extends HiveJobContext {

  def sc(): JavaSparkContext

  def sqlctx(): SQLContext

  @throws[Exception]
  def sparkSession[E](): E

  /** Fails if `createStreamingContext` was not called. */
  def streamingctx(): JavaStreamingContext

  def createStreamingContext(batchDuration: Long): Unit

  def stopStreamingCtx(): Unit

  /** An object that an earlier job of this driver has left. */
  @throws[NoSuchElementException]
  def getSharedObject[E](name: String): E

  def setSharedObject[E](name: String, value: E): Unit

  /** Returns null if there is no such object. */
  def removeSharedObject[E](name: String): E

  def getLocalTmpDir(): File
}
