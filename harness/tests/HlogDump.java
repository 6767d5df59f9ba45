/* SPDX-License-Identifier: MIT */
/* HlogDump.java - prints what HdrHistogram's own reader finds in a log, for test_hlog.py.
 *
 * java -cp hdrhistogram.jar HlogDump.java FILE. For each line of the log "line TAG START LENGTH
 * COUNT MAX" (times in seconds since 1970) and a "bucket VALUE COUNT" for each value counted; at
 * the end, of the sum of all lines, "encoded HEX" (the payload before compression) and twice a
 * "table UNIT" followed by the percentile table in units of so many nanoseconds.
 */
import java.io.File;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.HdrHistogram.HistogramLogReader;

public class HlogDump {
    static void printLine(Histogram one) {
        System.out.format(Locale.US, "line %s %.3f %.3f %d %d\n", one.getTag(),
                one.getStartTimeStamp() / 1000.0,
                (one.getEndTimeStamp() - one.getStartTimeStamp()) / 1000.0, one.getTotalCount(),
                one.getMaxValue());
        for (HistogramIterationValue at : one.recordedValues())
            System.out.format("bucket %d %d\n", at.getValueIteratedTo(),
                    at.getCountAtValueIteratedTo());
    }

    static void printEncoded(Histogram all) {
        ByteBuffer buffer = ByteBuffer.allocate(all.getNeededByteBufferCapacity());
        int bytes = all.encodeIntoByteBuffer(buffer);
        System.out.print("encoded ");
        for (int i = 0; i < bytes; i++)
            System.out.format("%02x", buffer.get(i));
        System.out.println();
    }

    public static void main(String[] arguments) throws Exception {
        HistogramLogReader reader = new HistogramLogReader(new File(arguments[0]));
        Histogram all = null;
        while (reader.hasNext()) {
            Histogram one = (Histogram) reader.nextIntervalHistogram();
            if (one == null)
                throw new IllegalStateException("the reader gave up on a line");
            printLine(one);
            if (all == null)
                all = one.copy();
            else
                all.add(one);
        }
        if (all == null)
            return;
        printEncoded(all);
        for (double unit : new double[] {1, 1e6}) {
            System.out.format(Locale.US, "table %.0f\n", unit);
            all.outputPercentileDistribution(System.out, 5, unit);
        }
    }
}
