#!/bin/bash
# The entry point of an image with Spark 3.5 or 4. Spark's own image has the same contract: the first
# word is the part, the rest and the variables SPARK_* come from Spark's pod.
part=$1
shift

paths=$SPARK_HOME/jars/*
# The class path of the pod's configuration comes first.
paths=${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$paths
paths=${HADOOP_CONF_DIR:+$HADOOP_CONF_DIR:}$paths
paths=${SPARK_CONF_DIR:+$SPARK_CONF_DIR:}$paths
paths=$paths${SPARK_EXTRA_CLASSPATH:+:$SPARK_EXTRA_CLASSPATH}:$PWD

case $part in
driver)
    exec "$SPARK_HOME/bin/spark-submit" \
        --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
        --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" \
        --deploy-mode client "$@"
    ;;
executor)
    # Spark numbers the options of the JVM: SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, …
    options=()
    for ((number = 0; ; number++)); do
        name=SPARK_JAVA_OPT_$number
        [[ -v $name ]] || break
        options+=("${!name}")
    done
    exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${options[@]}" \
        "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
        -cp "$paths${SPARK_DIST_CLASSPATH:+:$SPARK_DIST_CLASSPATH}" \
        org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
        --driver-url "$SPARK_DRIVER_URL" \
        --executor-id "$SPARK_EXECUTOR_ID" \
        --cores "$SPARK_EXECUTOR_CORES" \
        --app-id "$SPARK_APPLICATION_ID" \
        --hostname "$SPARK_EXECUTOR_POD_IP" \
        --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
        --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
*)
    exec "$part" "$@"
    ;;
esac
