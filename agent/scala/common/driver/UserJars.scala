package org.apache.spark.livius

import java.io.File

import org.apache.spark.util.MutableURLClassLoader

/** The class path that spark-submit makes for the user's jars. In Spark's package because Spark keeps
  * it to itself.
  */
object UserJars {

  /** Adds a jar to it. The main thread has its class loader. */
  def add(jar: File): Unit = Thread.currentThread.getContextClassLoader match {
    case loader: MutableURLClassLoader => loader.addURL(jar.toURI.toURL)
    case other => throw new IllegalStateException(s"spark-submit has made no class loader for jars, but $other")
  }
}
